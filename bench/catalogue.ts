/** Measures listing 10,000 backups in two stores and deciding what to prune. */
import type { Catalogue } from '../domain/backups/found-backup.ts';
import { rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { Readable } from 'node:stream';
import { loadConfiguration } from '../adapters/configuration/load.ts';
import { readCatalogue } from '../adapters/catalogue/catalogue.ts';
import { inParallel } from '../adapters/stores/in-parallel.ts';
import { openStores } from '../adapters/stores/open.ts';
import { planPrune } from '../adapters/catalogue/prune-plan.ts';
import type { Store } from '../adapters/stores/store.ts';
import { type Cluster, resolveCluster } from '../domain/configuration/resolve.ts';
import { manyBackups } from '../test/support/many-backups.ts';
import { type Cleanup, cleanUpAll } from './harness/cleanup.ts';
import { benchFolder, startS3, writeConfiguration } from './harness/parts.ts';
import { cpuSeconds, peakBytes, resetPeak } from './harness/processes.ts';
import { mebibytes, publish, say, seconds, verdict } from './harness/report.ts';

const BACKUPS = 10_000;
const PUTS_AT_ONCE = 16;
const TARGET_SECONDS = 2;

interface Measured {
  seconds: number;
  /** How far the process's memory rose above its earlier size. */
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
    for (const store of stores) await writeBackups(cluster, store);

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
    const options = { now: new Date(), includeForeign: false, removeMany: true };
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
          `A local store and an S3 store (versitygw) hold a small snapshot and a manifest of each of ${BACKUPS} backups, ` +
          `one every six hours. The rules keep ${plan.kept.length} of them. CPU and memory are those of the process that lists. ` +
          'The same process wrote all the backups before, so what counts is how much it grew.',
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

async function writeBackups(cluster: Cluster, store: Store): Promise<void> {
  const signal = new AbortController().signal;
  await inParallel([...manyBackups(cluster, BACKUPS)], PUTS_AT_ONCE, async (objects) => {
    for (const { key, content } of objects) await store.put(key, Readable.from([content]), { signal });
  });
}
