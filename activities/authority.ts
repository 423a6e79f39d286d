/**
 * What an activity may do is looked up when it does it: in the worker's own configuration and in Temporal, never in
 * what it was sent.
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
  /** The activities that change something: only the operation that holds the cluster may ask for them. */
  acting: ReadonlySet<string>;
}

/**
 * The same activities, asked for over Temporal: each refuses what isn't an operation, takes its cluster by name and
 * digest from this worker's file, and, where it changes something, asks whether the operation holds the cluster.
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
        // The workflow's types say what each activity is given; here it only passes by.
        return await act(order as never);
      } catch (error) {
        throw failureOf(error);
      }
    },
  ]);
  return Object.fromEntries(guarded) as A;
}

/** @throws SalvorError `InvalidInput` for an activity that was started by itself, or by a workflow of somebody else */
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
 * What the activity was sent, with the cluster of this worker's file in place of its name and digest.
 * @throws SalvorError `ConfigurationDiffers` when the operation read another configuration
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
 * Whether this very run of the operation holds the cluster now.
 * @returns the ID of the run
 * @throws SalvorError `HoldLost` when the lock is gone, or is another run's
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
