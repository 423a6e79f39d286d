/**
 * Activities are told which cluster is meant, by its name and the digest of its configuration; what it is they take
 * from the file of their own worker. An interceptor of every workflow: the stories stay free of it.
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
