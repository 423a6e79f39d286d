/** The workflow types that a worker hosts: the operations, and what they need beside them. */
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
 * Every operation has a workflow of its name, and nothing else is among them: the compiler says here what is missing.
 */
export type OperationWorkflows = Complete<typeof operations>;
