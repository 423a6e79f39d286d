/** What a restore would do: what goes in and what comes out. */
import type { BackupId } from '../format/keys.ts';

/** Which backup a cluster is restored from. */
export interface PlanRestoreInput {
  cluster: string;
  /** A backup's name, or `latest`: the newest good one, which is the default. */
  backup?: BackupId;
  /** Instead of a backup: the newest good one that was taken at this time or before it; ISO 8601 with a time zone. */
  at?: string;
  /** Read from this store only. */
  store?: string;
  /** For a snapshot without a manifest that was copied from a data directory: it has no hash at its end, and without this it is refused. */
  skipHashCheck?: boolean;
}
