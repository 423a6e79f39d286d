/** The row of an operation: everything about it that isn't its workflow, next to its input and report. */
import type { InputShape } from '../input.ts';

/**
 * `changes`: it changes the cluster or its stores, and holds the cluster meanwhile. `tries`: it works only in scratch.
 * `looks`: it only reads; people run it all day, so the list of operations leaves it out.
 */
export type Effect = 'changes' | 'tries' | 'looks';

/** The outcome of an operation that didn't fail, for metrics. */
export type End = 'done' | 'degraded' | 'rolled-back' | 'aborted';

export interface OperationRow<Input extends object, Report> {
  /** For people, followed by the cluster's name, as in `Back up`. */
  title: string;
  effect: Effect;
  /** Whether it may have a schedule. Its only required input is then the cluster. */
  schedulable: boolean;
  /** The checks of its input. */
  shape: InputShape<Input>;
  /** The cluster under which it is listed. */
  subjectOf: (input: Input) => string;
  endOf: (report: Report) => End;
  /**
   * Its own steps. The steps of a part that it shares with another operation are in the row of the other operation.
   * `<store>` stands for a store's name.
   */
  steps: readonly string[];
}

/** A row of any operation. */
export type AnyRow = Omit<OperationRow<never, never>, 'shape'>;
