/** Removes what restores and replacements moved aside: what goes in, what comes out, and what is known of it. */
import { isBoolean, isName } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface CleanUpInput {
  cluster: string;
  /** The name of the cluster once more: what is removed is the way back. Not needed with `dryRun`. */
  confirm?: string;
  /** Say what there is, remove nothing. */
  dryRun?: boolean;
}

export interface CleanUpReport {
  cluster: string;
  dryRun: boolean;
  /**
   * What restores, rollbacks and replacements moved aside: data directories, and the files that a replacement wrote
   * anew.
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
