/**
 * Each activity checks what it may do at the moment it does it. It looks in the worker's own configuration and in
 * Temporal, and never trusts its input.
 */
import { hostname } from 'node:os';
import { activityInfo } from '@temporalio/activity';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { loadCluster } from '../adapters/configuration/load.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SalvorError } from '../domain/errors.ts';
import { holdIn, lockWorkflowId } from '../domain/operations/common.ts';
import { isOperation } from '../domain/operations/index.ts';
import { failureOf } from './attend.ts';

type Activity = (input: never) => Promise<unknown>;

const orderSchema = z.looseObject({ cluster: z.object({ name: z.string(), digest: z.string() }) });

export interface Authority {
  /** The worker's own `salvor.yaml`. */
  configFile: string;
  client: Client;
  /** The activities that change something: only the operation that holds the cluster may call them. */
  acting: ReadonlySet<string>;
}

/**
 * Guards activities that Temporal can call. Each one refuses a caller that isn't an operation and reads its cluster
 * from this worker's file, by name and digest. One that changes something also checks that the operation holds the
 * cluster.
 */
export function withAuthority<A extends Record<string, Activity>>(activities: A, authority: Authority): A {
  const guarded = Object.entries(activities).map(([name, act]) => [
    name,
    async (input: unknown) => {
      try {
        requireOperation(name);
        const order = await withOwnCluster(input, authority.configFile);
        const cluster = orderSchema.safeParse(order).data?.cluster.name;
        if (authority.acting.has(name) && cluster !== undefined) await requireHold(authority.client, cluster);
        // The workflow's types check the input of each activity; this code only passes it on.
        return await act(order as never);
      } catch (error) {
        throw failureOf(error);
      }
    },
  ]);
  return Object.fromEntries(guarded) as A;
}

/** @throws SalvorError `InvalidInput` when the activity was started alone, or by a workflow that isn't Salvor's */
function requireOperation(name: string): void {
  const { workflowExecution, workflowType } = activityInfo();
  if (workflowExecution !== undefined && workflowType !== undefined && isOperation(workflowType)) return;
  const by = workflowType === undefined ? 'no workflow' : `the workflow type "${workflowType}"`;
  throw new SalvorError(
    'InvalidInput',
    `${name} was asked for by ${by}; only Salvor's own operations may ask for it. Nothing was done`,
  );
}

/**
 * Replaces the name and digest in the input by the whole cluster, as this worker's file has it.
 * @throws SalvorError `ConfigurationDiffers` when the operation has read a different configuration
 */
async function withOwnCluster(input: unknown, configFile: string): Promise<unknown> {
  const order = orderSchema.safeParse(input);
  if (!order.success) return input;
  const { name, digest } = order.data.cluster;
  const own: Cluster = await loadCluster(configFile, name);
  if (own.digest === digest) return { ...order.data, cluster: own };
  throw new SalvorError(
    'ConfigurationDiffers',
    `the worker on ${hostname()} has another configuration of ${name} in ${configFile} (digest ${own.digest}) than the operation has read (digest ${digest}). Nothing was done. ` +
      'Give every worker the same configuration, or put the file back as it was; then start the operation again, or retry its step',
  );
}

/**
 * Makes sure that this run of the operation holds the cluster now.
 * @returns the ID of the run
 * @throws SalvorError `HoldLost` when the lock is gone or belongs to another run
 */
export async function requireHold(client: Client, cluster: string): Promise<string> {
  const { workflowId = '', runId = '' } = activityInfo().workflowExecution ?? {};
  const lock = lockWorkflowId(cluster);
  const held = await describeHold(client, lock);
  if (held?.holder === workflowId && held.run === runId) return runId;
  const found = held === undefined ? 'is not running' : `names ${held.holder} (run ${held.run})`;
  throw new SalvorError(
    'HoldLost',
    `${workflowId} (run ${runId}) does not hold ${cluster}: the lock ${lock} ${found}. It was ended, or the operation was reset. Nothing was done in this step`,
  );
}

async function describeHold(client: Client, lock: string): Promise<{ holder: string; run: string } | undefined> {
  try {
    const { status, memo } = await client.workflow.getHandle(lock).describe();
    return status.name === 'RUNNING' ? holdIn(memo) : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
