/** The trial before a restore: tests in scratch whether one copy of a snapshot can be restored. */
import { join } from 'node:path';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { SnapshotSource } from '../../domain/format/snapshot-source.ts';
import type { TrialResult } from '../../domain/restore/trial.ts';
import { localHost } from '../hosts/local.ts';
import { compareWithLive } from './compare.ts';
import { unrecorded } from './checking.ts';
import { fetchSnapshot } from '../snapshots/fetch-snapshot.ts';
import { withProven } from './prove-snapshot.ts';

export interface DrillOptions {
  /** An empty folder of the worker with room for two copies of the database. */
  scratch: string;
  signal: AbortSignal;
}

/**
 * Fetches, checks, restores and boots the very bytes that a restore would use, from the first store whose copy is
 * right. Nothing outside `scratch` is touched.
 * @throws SalvorError `BackupCorrupt` when the bytes differ from the manifest or don't restore; what the stores threw
 * when none returned them
 */
export async function drill(cluster: Cluster, source: SnapshotSource, options: DrillOptions): Promise<TrialResult> {
  const { scratch, signal } = options;
  const file = join(scratch, 'snapshot.db');
  const fetched = await fetchSnapshot(
    cluster,
    source,
    async (body) => await localHost('this worker').write(file, body, { mode: 0o600, signal }),
    signal,
  );
  return await withProven(file, source, { scratch, check: unrecorded, signal }, async (proven, endpoint) => ({
    ...fetched,
    ...proven,
    ...(await compareWithLive(cluster, { endpoint, revision: proven.revision }, signal)),
  }));
}
