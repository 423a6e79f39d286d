/**
 * Replaces the cluster in the input of every activity by its name and the digest of its configuration. Activities read
 * the rest from the file of their own worker. It is an interceptor of every workflow, so the operations contain none of
 * this.
 */
import type { WorkflowInterceptors } from '@temporalio/workflow';

export function interceptors(): WorkflowInterceptors {
  return {
    outbound: [
      {
        async scheduleActivity(input, next) {
          return await next({ ...input, args: input.args.map(withReference) });
        },
      },
    ],
  };
}

function withReference(order: unknown): unknown {
  if (!isRecord(order) || !isRecord(order['cluster'])) return order;
  const { name, digest } = order['cluster'];
  return { ...order, cluster: { name, digest } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
