/** The operation that lists a cluster's backups: its input, its report and its row. */
import type { BackupsPage } from '../backups/backups-page.ts';
import type { BackupId } from '../format/keys.ts';
import { isBackupName, isName, isPositiveCount } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface ListBackupsInput {
  cluster: string;
  /** Only this store. */
  store?: string;
  /**
   * List only backups older than this one. For the next page, give the last name of the previous page.
   */
  before?: BackupId;
  /** List at most this many (1 or more). Default: as many as Temporal accepts in one payload, about 2,000. */
  limit?: number;
}

/** One page; the client library and the command line ask for all of them. */
export interface ListBackupsReport extends BackupsPage {
  cluster: string;
  /** Stores that could not be read, so the list may lack backups that only they have. */
  unreadable: { store: string; error: string }[];
}

export const LIST_BACKUPS = {
  title: 'List backups of',
  effect: 'looks',
  schedulable: false,
  shape: { required: { cluster: isName }, optional: { store: isName, before: isBackupName, limit: isPositiveCount } },
  subjectOf: ({ cluster }) => cluster,
  endOf: (_report) => 'done',
  steps: [],
} as const satisfies OperationRow<ListBackupsInput, ListBackupsReport>;
