/** The name of a new backup. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { type BackupId, backupIdOf, manifestKey, snapshotKey } from '../../domain/format/keys.ts';
import type { Store } from '../stores/store.ts';

/** A name that no store has yet, made of this second or a later one: two backups in the same second get two names. */
export async function freeKey(
  cluster: Pick<Cluster, 'name' | 'compression' | 'encryption'>,
  { address }: Pick<ClusterNode, 'address'>,
  stores: Store[],
  { now, signal }: { now: () => Date; signal: AbortSignal },
): Promise<{ takenAt: string; backup: BackupId; key: string }> {
  const encoding = { compression: cluster.compression, encrypted: cluster.encryption !== undefined };
  for (let timeMs = now().getTime(); ; timeMs += 1_000) {
    const time = new Date(timeMs);
    const backup = backupIdOf(time);
    const key = snapshotKey(cluster.name, address, backup, encoding);
    // The manifest is looked for as well: the snapshot had another name before the encoding was changed.
    const keys = [key, manifestKey(cluster.name, address, backup)];
    // A store that can't be asked now will fail only its own copy.
    const found = await Promise.all(
      stores.flatMap((store) => keys.map(async (each) => await store.head(each, signal).catch(() => undefined))),
    );
    if (found.every((object) => object === undefined)) return { takenAt: time.toISOString(), backup, key };
  }
}
