/** The answer of the `progress` query. */
import type { Operation } from './index.ts';
import type { StepRecord } from './steps.ts';

export interface Progress {
  operation: Operation;
  cluster: string;
  startedAt: string;
  /** What the operation is doing at the moment, in a few words. */
  doing: string;
  /** What a person has to decide, in words; null when the operation isn't waiting for anybody. */
  waitingFor: string | null;
  /** The digest of the plan that waits for approval; absent when no plan does. */
  toApprove?: string;
  steps: StepRecord[];
}
