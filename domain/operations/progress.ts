/** The answer of the `progress` query. */
import type { Operation } from './index.ts';
import type { StepRecord } from './steps.ts';

export interface Progress {
  operation: Operation;
  cluster: string;
  startedAt: string;
  /** What the operation does at the moment, in a few words. */
  doing: string;
  /** What a person has to decide, in words; null when nothing is waited for. */
  waitingFor: string | null;
  /** The digest of the plan that waits for its approval; absent when none does. */
  toApprove?: string;
  steps: StepRecord[];
}
