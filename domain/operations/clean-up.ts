/** Removes what restores and replacements moved aside: what goes in and what comes out. */

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
  /** What restores, rollbacks and replacements moved aside: data directories, and the files that a replacement wrote anew. */
  removed: { node: string; path: string; type: 'directory' | 'file'; bytes: number }[];
}
