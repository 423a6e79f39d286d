/**
 * Compares a whole backup with a cron script that runs `etcdctl snapshot save` and uploads with s3cmd. Both take turns
 * in one run.
 */
import { rm, stat } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { BackupReport } from '../domain/operations/backup.ts';
import { provideTool } from '../adapters/binaries/binaries.ts';
import { type Content, fill } from './data/fill.ts';
import {
  benchFolder,
  BUCKET,
  operate,
  startEtcd,
  startS3,
  startTemporalServer,
  startWorker,
  writeConfiguration,
} from './harness/parts.ts';
import { type CommandUse, cpuSeconds, peakBytes, resetPeak, runMeasured } from './harness/processes.ts';
import { mebibytes, median, publish, say, seconds, type Table, verdict } from './harness/report.ts';
import { provideS3cmd } from './harness/s3cmd.ts';
import { type Cleanup, cleanUpAll } from './harness/cleanup.ts';

export interface BackupBenchOptions {
  bytes: number;
  rounds: number;
}

const TARGETS = { kubernetes: 0.5, random: 0.9 } satisfies Record<Content, number>;
const NAMES = { kubernetes: 'Kubernetes objects', random: 'random bytes' } satisfies Record<Content, string>;

/** What one side took in one round; the processor time includes every process involved, also etcd and the S3 server. */
interface Taken extends CommandUse {
  storedBytes: number;
}

interface Round {
  salvor: Taken;
  script: Taken;
}

export async function benchBackup({ bytes, rounds }: BackupBenchOptions): Promise<void> {
  const [loadBefore = 0] = loadavg();
  const tables: Table[] = [];
  const verdicts: string[] = [];
  for (const content of ['kubernetes', 'random'] as const) {
    const results = await compare(content, { bytes, rounds });
    const wall = median(results.map(({ salvor, script }) => salvor.wallSeconds / script.wallSeconds));
    const cpu = median(results.map(({ salvor, script }) => salvor.cpuSeconds / script.cpuSeconds));
    tables.push(tableOf(NAMES[content], results));
    verdicts.push(
      verdict(`${NAMES[content]}, median ratio of the times`, wall, TARGETS[content], (value) => value.toFixed(2)),
      `${NAMES[content]}, median ratio of the processor times: ${cpu.toFixed(2)}`,
    );
  }
  await publish(
    {
      name: 'backup',
      title: 'A whole backup against etcdctl and s3cmd',
      method:
        `One etcd member with ${mebibytes(bytes)} of keys and values, a local store and an S3 store (versitygw) on the same machine. ` +
        'Salvor runs the whole `backup` operation on a Temporal server, from its start to its report: it checks members and stores, streams once, ' +
        'compresses with zstd, sends to both stores at once, reads every copy back, runs `etcdutl snapshot status` and HashKV, and writes the manifest. ' +
        'The script runs `etcdctl snapshot save` to a local file and then `s3cmd put`; it compresses and checks nothing. ' +
        `${rounds} rounds, in which Salvor and the script take turns. CPU is that of all processes that took part except Temporal's server. ` +
        'Memory is that of the worker, and of the larger of etcdctl and s3cmd.',
      tables,
      verdicts,
    },
    loadBefore,
  );
}

async function compare(content: Content, { bytes, rounds }: BackupBenchOptions): Promise<Round[]> {
  const cleanups: Cleanup[] = [];
  try {
    const folder = await benchFolder('backup');
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const { member, stop } = await startEtcd(folder);
    cleanups.push(stop);
    say(`filling etcd with ${mebibytes(bytes)} of ${NAMES[content]} ...`);
    await fill({ hosts: member.clientUrl }, content, bytes);
    const s3 = await startS3();
    cleanups.push(s3.stop);
    const temporal = await startTemporalServer();
    cleanups.push(temporal.stop);
    const configFile = await writeConfiguration({ folder, clientUrl: member.clientUrl, s3, compression: 'zstd' });
    const worker = await startWorker(configFile, temporal.address, join(folder, 'scratch'));
    cleanups.push(worker.stop);
    const s3cmd = await provideS3cmd(s3, folder);
    const etcdctl = (await provideTool('etcdctl')).path;
    const servers = [member.pid(), s3.process.pid ?? 0];

    async function backUp(): Promise<Taken> {
      const pids = [worker.pid, ...servers];
      await resetPeak(worker.pid);
      const cpuBefore = await cpuOf(pids);
      const startedAt = performance.now();
      const report = await operate<BackupReport>(temporal, 'backup');
      const wallSeconds = (performance.now() - startedAt) / 1_000;
      if (report.state !== 'complete') throw new Error(`the backup is ${report.state}`);
      return {
        wallSeconds,
        cpuSeconds: (await cpuOf(pids)) - cpuBefore,
        peakBytes: await peakBytes(worker.pid),
        storedBytes: report.artifacts.find(({ kind }) => kind === 'snapshot')?.bytes ?? 0,
      };
    }

    async function runScript(round: number): Promise<Taken> {
      const file = join(folder, `snapshot-${round}.db`);
      const cpuBefore = await cpuOf(servers);
      const save = await runMeasured([etcdctl, '--endpoints', member.clientUrl, 'snapshot', 'save', file]);
      const { size } = await stat(file);
      const upload = await runMeasured(
        [...s3cmd.command, '--quiet', 'put', file, `s3://${BUCKET}/script/snapshot-${round}.db`],
        s3cmd.env,
      );
      const serversSeconds = (await cpuOf(servers)) - cpuBefore;
      await rm(file);
      return {
        wallSeconds: save.wallSeconds + upload.wallSeconds,
        cpuSeconds: save.cpuSeconds + upload.cpuSeconds + serversSeconds,
        peakBytes: Math.max(save.peakBytes, upload.peakBytes),
        storedBytes: size,
      };
    }

    const results: Round[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      // Data from earlier rounds must not be flushed to the disk during this round.
      await execa('sync');
      const salvor = await backUp();
      await execa('sync');
      const script = await runScript(round);
      say(
        `${NAMES[content]}, round ${round}: Salvor ${seconds(salvor.wallSeconds)}, script ${seconds(script.wallSeconds)}`,
      );
      results.push({ salvor, script });
    }
    return results;
  } finally {
    await cleanUpAll(cleanups);
  }
}

async function cpuOf(pids: number[]): Promise<number> {
  const each = await Promise.all(pids.map((pid) => cpuSeconds(pid)));
  return each.reduce((sum, value) => sum + value, 0);
}

function tableOf(title: string, results: Round[]): Table {
  const row = (label: string, taken: Taken): string[] => [
    label,
    seconds(taken.wallSeconds),
    seconds(taken.cpuSeconds),
    mebibytes(taken.peakBytes),
    mebibytes(taken.storedBytes),
  ];
  return {
    title,
    head: ['', 'time', 'CPU', 'peak memory', 'stored'],
    rows: results.flatMap(({ salvor, script }, index) => [
      row(`${index + 1} Salvor`, salvor),
      row(`${index + 1} script`, script),
      [
        `${index + 1} ratio`,
        (salvor.wallSeconds / script.wallSeconds).toFixed(2),
        (salvor.cpuSeconds / script.cpuSeconds).toFixed(2),
        '',
        (salvor.storedBytes / script.storedBytes).toFixed(2),
      ],
    ]),
  };
}
