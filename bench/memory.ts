/** The worker's peak memory while it backs up databases of several sizes: it must not grow with them. */
import { rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import type { BackupReport } from '../domain/operations/backup.ts';
import { fill } from './data/fill.ts';
import { type Cleanup, cleanUpAll } from './harness/cleanup.ts';
import {
  benchFolder,
  operate,
  startEtcd,
  startS3,
  startTemporalServer,
  startWorker,
  writeConfiguration,
} from './harness/parts.ts';
import { peakBytes, resetPeak } from './harness/processes.ts';
import { mebibytes, publish, say, verdict } from './harness/report.ts';

const TARGET_BYTES = 256 * 1024 ** 2;
const MB = 1_000_000;

interface Peak {
  bytes: number;
  idleBytes: number;
  backupBytes: number;
}

/** @param sizes of keys and values in MB, the smallest first */
export async function benchMemory(sizes: number[]): Promise<void> {
  const [loadBefore = 0] = loadavg();
  const peaks = await measure(sizes.map((size) => size * MB));
  const largest = Math.max(...peaks.map(({ backupBytes }) => backupBytes));
  const growth = (peaks.at(-1)?.backupBytes ?? 0) - (peaks[0]?.backupBytes ?? 0);
  await publish(
    {
      name: 'memory',
      title: 'Peak memory of the worker',
      method:
        "The highest resident size (VmHWM) of the worker, including Temporal's SDK and its workflow sandbox. The worker backs up random bytes with zstd to a local " +
        'store and an S3 store, and reads both copies back. Each size gets a fresh worker. "Before" is its size while it waits for work.',
      tables: [
        {
          title: 'Peak memory',
          head: ['keys and values', 'before', 'during the backup', 'difference'],
          rows: peaks.map(({ bytes, idleBytes, backupBytes }) => [
            `${bytes / MB} MB`,
            mebibytes(idleBytes),
            mebibytes(backupBytes),
            mebibytes(backupBytes - idleBytes),
          ]),
        },
      ],
      verdicts: [
        verdict('the highest peak', largest, TARGET_BYTES, mebibytes),
        `from the smallest database to the largest the peak changes by ${mebibytes(growth)}`,
      ],
    },
    loadBefore,
  );
}

/** Uses one etcd for all sizes and adds data for each, because the database only grows. */
async function measure(sizes: number[]): Promise<Peak[]> {
  const cleanups: Cleanup[] = [];
  try {
    const folder = await benchFolder('memory');
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const { member, stop } = await startEtcd(folder);
    cleanups.push(stop);
    const s3 = await startS3();
    cleanups.push(s3.stop);
    const temporal = await startTemporalServer();
    cleanups.push(temporal.stop);
    const configFile = await writeConfiguration({ folder, clientUrl: member.clientUrl, s3, compression: 'zstd' });
    // The first start bundles the workflows; later starts reuse the bundle.
    const first = await startWorker(configFile, temporal.address, join(folder, 'scratch'));
    await first.stop();
    const peaks: Peak[] = [];
    let filled = 0;
    for (const bytes of sizes) {
      say(`filling etcd to ${bytes / MB} MB ...`);
      await fill({ hosts: member.clientUrl }, 'random', bytes - filled, `/${bytes}`);
      filled = bytes;
      const worker = await startWorker(configFile, temporal.address, join(folder, 'scratch'));
      try {
        const idleBytes = await peakBytes(worker.pid);
        await resetPeak(worker.pid);
        const { state } = await operate<BackupReport>(temporal, 'backup');
        if (state !== 'complete') throw new Error(`the backup is ${state}`);
        const backupBytes = await peakBytes(worker.pid);
        say(`${bytes / MB} MB: ${mebibytes(backupBytes)}`);
        peaks.push({ bytes, idleBytes, backupBytes });
      } finally {
        await worker.stop();
      }
    }
    return peaks;
  } finally {
    await cleanUpAll(cleanups);
  }
}
