/** Lists a cluster's backups: what goes in and what comes out. */
import type { CatalogueEntry } from '../backups/catalogue-entry.ts';
import type { BackupId } from '../format/keys.ts';

export interface ListBackupsInput {
  cluster: string;
  /** Only this store. */
  store?: string;
  /** Only backups that are older than the one of this name: the next page begins before the last name of the one before. */
  before?: BackupId;
  /** At most so many; 1 or more. Default: as many as go through Temporal at once, about 2,000. */
  limit?: number;
}

export interface ListBackupsReport {
  cluster: string;
  backups: CatalogueEntry[];
  /** So many older ones are not in this page; absent when there are none. The client library and the command line ask for all pages. */
  more?: number;
  /** Stores that could not be read: the list may lack what only they have. */
  unreadable: { store: string; error: string }[];
}
