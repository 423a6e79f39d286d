/** Makes any number of backups, as files in each store. */
import { randomBytes } from 'node:crypto';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { formatManifest } from '../../domain/format/manifest.ts';
import { backupIdOf, manifestKey, snapshotKey } from '../../domain/format/keys.ts';
import { SALVOR_VERSION } from '../../domain/version.ts';

const SNAPSHOT_BYTES = 100;
const NEWEST_MS = Date.UTC(2026, 0, 1);
const INTERVAL_MS = 6 * 3_600_000;
/** The same for each backup, because only its length matters. */
const SHA256 = randomBytes(32).toString('hex');
const SNAPSHOT = Buffer.alloc(SNAPSHOT_BYTES);

export interface KeptObject {
  key: string;
  content: Uint8Array;
}

/**
 * Writes a small snapshot and a manifest of the usual length for each backup, one backup every six hours. Every store
 * of the cluster gets all of them.
 */
export function* manyBackups(cluster: Cluster, count: number): Generator<KeptObject[]> {
  for (let index = 0; index < count; index += 1) {
    const time = new Date(NEWEST_MS - index * INTERVAL_MS);
    const backup = backupIdOf(time);
    const key = snapshotKey(cluster.name, addressOf(cluster), backup, ZSTD);
    yield [
      { key, content: SNAPSHOT },
      { key: manifestKey(cluster.name, addressOf(cluster), backup), content: Buffer.from(manifest(cluster, time)) },
    ];
  }
}

const ZSTD = { compression: 'zstd', encrypted: false } as const;

function addressOf({ nodes }: Cluster): string {
  return nodes[0]?.address ?? '';
}

function manifest(cluster: Cluster, time: Date): string {
  const backup = backupIdOf(time);
  const stores = cluster.stores.map(({ name }) => name);
  return formatManifest({
    formatVersion: 1,
    salvor: SALVOR_VERSION,
    backup,
    cluster: cluster.name,
    flavour: cluster.flavour,
    node: { name: cluster.nodes[0]?.name ?? '', address: addressOf(cluster) },
    takenAt: time.toISOString(),
    etcd: {
      version: '3.6.16',
      clusterId: '1234567890123456789',
      memberId: '9876543210987654321',
      revision: String(Math.floor(time.getTime() / 1_000)),
      totalKeys: 123_456,
      hashKv: { revision: '123456', compactRevision: '123400', hash: '3735928559' },
      members: ['m1', 'm2', 'm3'].map((name, index) => ({
        id: `987654321098765432${index}`,
        name,
        peerUrls: [`https://10.0.0.${index}:2380`],
        learner: false,
      })),
    },
    intendedStores: stores.map((store) => ({ store, kinds: ['snapshot'] })),
    artifacts: [
      {
        kind: 'snapshot',
        key: snapshotKey(cluster.name, addressOf(cluster), backup, ZSTD),
        ...ZSTD,
        content: { bytes: 10 * SNAPSHOT_BYTES, sha256: SHA256 },
        stored: { bytes: SNAPSHOT_BYTES, sha256: SHA256 },
        stores,
      },
    ],
  });
}
