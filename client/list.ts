/** The operations that Temporal remembers. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { isName } from '../domain/input.ts';
import { SalvorError } from '../domain/errors.ts';
import { LOOKING_OPERATIONS } from '../domain/operations/index.ts';
import { CLUSTER, OPERATION } from './search-attributes.ts';

export interface OperationSummary {
  workflowId: string;
  runId: string;
  operation: string;
  cluster: string;
  status: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed out' | 'continued' | 'unknown';
  startedAt: string;
  /** Null while it runs. */
  durationMs: number | null;
  /** `user@host`, or null if something other than this library started it. */
  startedBy: string | null;
}

const STATUS: Record<string, OperationSummary['status']> = {
  RUNNING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed out',
  CONTINUED_AS_NEW: 'continued',
};

export interface OperationFilter {
  cluster?: string;
  /** Default 20. */
  limit?: number;
  /** Also lists operations that only read: the lists and checks that people start all day. */
  all?: boolean;
}

/** Newest first. */
export async function listOperations(
  client: Client,
  { cluster, limit = 20, all = false }: OperationFilter,
): Promise<OperationSummary[]> {
  if (cluster !== undefined && isName(cluster) !== undefined) {
    throw new SalvorError(
      'InvalidInput',
      `${JSON.stringify(cluster)} is not the name of a cluster: ${isName(cluster)}`,
    );
  }
  const conditions = [
    `${OPERATION.name} IS NOT NULL`,
    // A valid name contains no quotes.
    ...(cluster === undefined ? [] : [`${CLUSTER.name} = "${cluster}"`]),
    ...(all ? [] : LOOKING_OPERATIONS.map((operation) => `${OPERATION.name} != "${operation}"`)),
  ];
  const query = conditions.join(' AND ');
  const found: OperationSummary[] = [];
  for await (const info of client.workflow.list({ query, pageSize: limit })) {
    found.push({
      workflowId: info.workflowId,
      runId: info.runId,
      operation: textOf(info, OPERATION) ?? info.type,
      cluster: textOf(info, CLUSTER) ?? '',
      status: STATUS[info.status.name] ?? 'unknown',
      startedAt: info.startTime.toISOString(),
      durationMs: info.closeTime ? info.closeTime.getTime() - info.startTime.getTime() : null,
      startedBy: typeof info.memo?.['startedBy'] === 'string' ? info.memo['startedBy'] : null,
    });
    if (found.length >= limit) break;
  }
  return found;
}

function textOf(info: WorkflowExecutionInfo, key: typeof CLUSTER): string | undefined {
  const value = info.typedSearchAttributes.get(key);
  return typeof value === 'string' ? value : undefined;
}
