/** Lists a cluster's backups: what goes in, what comes out, and what is known of it. */
import type { BackupsPage } from '../backups/backups-page.ts';
import type { BackupId } from '../format/keys.ts';
import { isBackupName, isName, isPositiveCount } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface ListBackupsInput {
  cluster: string;
  /** Only this store. */
  store?: string;
  /**
   * Only backups that are older than the one of this name: the next page begins before the last name of the one before.
   */
  before?: BackupId;
  /** At most so many; 1 or more. Default: as many as go through Temporal at once, about 2,000. */
  limit?: number;
}

/** One page; the client library and the command line ask for all of them. */
export interface ListBackupsReport extends BackupsPage {
  cluster: string;
  /** Stores that could not be read: the list may lack what only they have. */
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
