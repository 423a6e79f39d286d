/** Listing and deciding about 10,000 backups in two stores. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { Readable } from 'node:stream';
import { loadConfiguration } from '../adapters/configuration/load.ts';
import { type Catalogue, readCatalogue } from '../adapters/stores/catalogue.ts';
import { inParallel } from '../adapters/stores/in-parallel.ts';
import { openStores } from '../adapters/stores/open.ts';
import { planPrune } from '../adapters/stores/prune-plan.ts';
import type { Store } from '../adapters/stores/store.ts';
import { type Cluster, resolveCluster } from '../domain/configuration/resolve.ts';
import { formatManifest } from '../domain/manifest.ts';
import { backupIdOf, manifestKey, snapshotKey } from '../domain/names.ts';
import { SALVOR_VERSION } from '../domain/version.ts';
import { type Cleanup, cleanUpAll } from './harness/cleanup.ts';
import { benchFolder, startS3, writeConfiguration } from './harness/parts.ts';
import { cpuSeconds, peakBytes, resetPeak } from './harness/processes.ts';
import { mebibytes, publish, say, seconds, verdict } from './harness/report.ts';

const BACKUPS = 10_000;
const INTERVAL_MS = 6 * 3_600_000;
const SNAPSHOT_BYTES = 100;
const PUTS_AT_ONCE = 16;
const TARGET_SECONDS = 2;

interface Measured {
  seconds: number;
  /** How much higher the process's memory went than it was before. */
  addedBytes: number;
}

export async function benchCatalogue(): Promise<void> {
  const [loadBefore = 0] = loadavg();
  const cleanups: Cleanup[] = [];
  try {
    const folder = await benchFolder('catalogue');
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const s3 = await startS3();
    cleanups.push(s3.stop);
    const configFile = await writeConfiguration({
      folder,
      clientUrl: 'http://127.0.0.1:2379',
      s3,
      compression: 'zstd',
    });
    const cluster = resolveCluster(await loadConfiguration(configFile), 'bench');
    const stores = await openStores(cluster);
    cleanups.push(async () => {
      for (const store of stores) store.close();
    });
    say(`writing ${BACKUPS} backups to each store ...`);
    for (const store of stores) await writeBackups(cluster, stores, store);

    const rows: string[][] = [];
    const lists: Measured[] = [];
    let peak = 0;
    async function measure<T>(label: string, act: () => Promise<T>): Promise<T> {
      await resetPeak(process.pid);
      const before = await peakBytes(process.pid);
      const cpuBefore = await cpuSeconds(process.pid);
      const startedAt = performance.now();
      const result = await act();
      const taken = (performance.now() - startedAt) / 1_000;
      const cpu = (await cpuSeconds(process.pid)) - cpuBefore;
      const after = await peakBytes(process.pid);
      rows.push([label, seconds(taken), seconds(cpu), mebibytes(after), mebibytes(after - before)]);
      lists.push({ seconds: taken, addedBytes: after - before });
      peak = Math.max(peak, after);
      say(`${label}: ${seconds(taken)}`);
      return result;
    }

    const signal = new AbortController().signal;
    const list = async (only: Store[]): Promise<Catalogue> => {
      const catalogue = await readCatalogue(cluster, only, signal);
      if (catalogue.entries.length !== BACKUPS) throw new Error(`${catalogue.entries.length} backups are listed`);
      return catalogue;
    };
    const [local, offsite] = stores;
    if (!local || !offsite) throw new Error('expected two stores');
    await measure('list the local store, manifests read for the first time', () => list([local]));
    await measure('list the S3 store, manifests read for the first time', () => list([offsite]));
    const catalogue = await measure('list both stores, manifests known', () => list(stores));
    const knownSeconds = lists.at(-1)?.seconds ?? 0;
    const options = { now: new Date(), includeForeign: false };
    const rules = { keepLast: 28, keepWithin: '30d', keepMonthly: 12, atLeast: 4 };
    const plan = await measure('decide what to prune from the local store', () =>
      planPrune(catalogue, local, rules, options, signal),
    );
    await measure('decide what to prune from the S3 store, each candidate asked for its lock', () =>
      planPrune(catalogue, offsite, rules, options, signal),
    );
    await publish(
      {
        name: 'catalogue',
        title: `A catalogue of ${BACKUPS} backups`,
        method:
          `A local store and an S3 store (versitygw) with a snapshot of ${SNAPSHOT_BYTES} bytes and a manifest of each of ${BACKUPS} backups, ` +
          `one every six hours. Rules that keep ${plan.kept.length}. CPU and memory are of the process that lists, which also wrote them all before: what it grew by counts.`,
        tables: [{ title: 'Times', head: ['', 'time', 'CPU', 'peak memory', 'grown by'], rows }],
        verdicts: [
          verdict("a list of both stores, as every list but a process's first", knownSeconds, TARGET_SECONDS, seconds),
          verdict('a first list of the local store', lists[0]?.seconds ?? 0, TARGET_SECONDS, seconds),
          verdict('a first list of the S3 store', lists[1]?.seconds ?? 0, TARGET_SECONDS, seconds),
          `the highest peak: ${mebibytes(peak)}`,
        ],
      },
      loadBefore,
    );
  } finally {
    await cleanUpAll(cleanups);
  }
}

async function writeBackups(cluster: Cluster, stores: Store[], store: Store): Promise<void> {
  const signal = new AbortController().signal;
  const snapshot = Buffer.alloc(SNAPSHOT_BYTES);
  const newestMs = Date.UTC(2026, 0, 1);
  const times = Array.from({ length: BACKUPS }, (_, index) => new Date(newestMs - index * INTERVAL_MS));
  await inParallel(times, PUTS_AT_ONCE, async (time) => {
    const text = manifestText(cluster, stores, time);
    const backup = backupIdOf(time);
    const key = snapshotKey(cluster.name, ADDRESS, backup, { compression: 'zstd', encrypted: false });
    await store.put(key, Readable.from([snapshot]), { signal });
    await store.put(manifestKey(cluster.name, ADDRESS, backup), Readable.from([Buffer.from(text)]), { signal });
  });
}

const ADDRESS = '127.0.0.1';
/** The same for each: only its length counts. */
const SHA256 = randomBytes(32).toString('hex');

function manifestText(cluster: Cluster, stores: Store[], time: Date): string {
  const backup = backupIdOf(time);
  const names = stores.map(({ name }) => name);
  return formatManifest({
    formatVersion: 1,
    salvor: SALVOR_VERSION,
    backup,
    cluster: cluster.name,
    flavour: cluster.flavour,
    node: { name: 'm1', address: ADDRESS },
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
    intendedStores: names.map((store) => ({ store, kinds: ['snapshot'] })),
    artifacts: [
      {
        kind: 'snapshot',
        key: snapshotKey(cluster.name, ADDRESS, backup, { compression: 'zstd', encrypted: false }),
        compression: 'zstd',
        encrypted: false,
        content: { bytes: 10 * SNAPSHOT_BYTES, sha256: SHA256 },
        stored: { bytes: SNAPSHOT_BYTES, sha256: SHA256 },
        stores: names,
      },
    ],
  });
}
