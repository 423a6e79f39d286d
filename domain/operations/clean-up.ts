/** The operation that removes what restores and replacements moved aside: its input, its report and its row. */
import { isBoolean, isName } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface CleanUpInput {
  cluster: string;
  /** The cluster's name again: without the removed data there is no way back. Not needed with `dryRun`. */
  confirm?: string;
  /** Only report what would be removed. */
  dryRun?: boolean;
}

export interface CleanUpReport {
  cluster: string;
  dryRun: boolean;
  /**
   * What restores, rollbacks and replacements moved aside: data directories, and the old versions of files that a
   * replacement rewrote.
   */
  removed: { node: string; path: string; type: 'directory' | 'file'; bytes: number }[];
}

export const CLEAN_UP = {
  title: 'Clean up',
  effect: 'changes',
  schedulable: false,
  shape: { required: { cluster: isName }, optional: { confirm: isName, dryRun: isBoolean } },
  subjectOf: ({ cluster }) => cluster,
  endOf: (_report) => 'done',
  steps: ['Look for a restore that has not ended', 'Find what was moved aside', 'Remove them'],
} as const satisfies OperationRow<CleanUpInput, CleanUpReport>;
