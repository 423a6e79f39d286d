/** What is known of an operation beside its story: one row, beside its input and report. */
import type { InputShape } from '../input.ts';

/**
 * `changes`: something of the cluster or its stores, and holds the cluster meanwhile. `tries`: works in scratch and
 * touches nothing. `looks`: is asked for all day, and left out of the list of operations.
 */
export type Effect = 'changes' | 'tries' | 'looks';

/** How an operation that didn't fail has ended, for metrics. */
export type End = 'done' | 'degraded' | 'rolled-back' | 'aborted';

export interface OperationRow<Input extends object, Report> {
  /** For people, with the cluster behind it: `Back up`. */
  title: string;
  effect: Effect;
  /** Whether it may have a schedule; then it needs nothing but the cluster as its input. */
  schedulable: boolean;
  /** The checks of its input. */
  shape: InputShape<Input>;
  /** The cluster that it is listed under. */
  subjectOf: (input: Input) => string;
  endOf: (report: Report) => End;
  /**
   * Its own steps; those of a part that it shares with another operation are in that one's row. `<store>` stands for a
   * store's name.
   */
  steps: readonly string[];
}

/** A row of any operation. */
export type AnyRow = Omit<OperationRow<never, never>, 'shape'>;
