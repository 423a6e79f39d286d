/** The workflow types that a worker hosts: the operations, and what they need besides. */
import type { SkippedReport } from '../domain/operations/common.ts';
import type { InputOf, Operation, ReportOf, ScheduledOperation } from '../domain/operations/index.ts';
import type * as operations from './operations.ts';

export * from './operations.ts';
export { holdCluster } from './kit/hold-cluster.ts';

type WorkflowOf<O extends Operation> = (
  input: InputOf<O>,
) => Promise<O extends ScheduledOperation ? ReportOf<O> | SkippedReport : ReportOf<O>>;

type Complete<Hosted extends { [O in Operation]: WorkflowOf<O> } & Record<Exclude<keyof Hosted, Operation>, never>> =
  Hosted;

/**
 * Every operation has a workflow of the same name, and there are no others. If one is missing, this doesn't compile.
 */
export type OperationWorkflows = Complete<typeof operations>;
