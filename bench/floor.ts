/** Measures the lower limit for any backup: reading etcd's Snapshot RPC and throwing the bytes away. */
import { rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { execa } from 'execa';
import { SNAPSHOT_BATCH_BYTES } from '../adapters/etcd/client.ts';
import { checkSnapshot } from '../adapters/snapshots/integrity.ts';
import { readSnapshot } from '../adapters/etcd/snapshot-stream.ts';
import { compress } from '../adapters/encoding/compress.ts';
import { inBatches } from '../adapters/encoding/streams.ts';
import { provideTool } from '../adapters/binaries/binaries.ts';
import { fill } from './data/fill.ts';
import { type Cleanup, cleanUpAll } from './harness/cleanup.ts';
import { benchFolder, startEtcd } from './harness/parts.ts';
import { cpuSeconds } from './harness/processes.ts';
import { median, publish, say, seconds } from './harness/report.ts';

export async function benchFloor({ bytes, rounds }: { bytes: number; rounds: number }): Promise<void> {
  const [loadBefore = 0] = loadavg();
  const cleanups: Cleanup[] = [];
  try {
    const folder = await benchFolder('floor');
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const { member, stop } = await startEtcd(folder);
    cleanups.push(stop);
    say('filling etcd ...');
    await fill({ hosts: member.clientUrl }, 'kubernetes', bytes);
    const etcdctl = (await provideTool('etcdctl')).path;
    const file = `${folder}/snapshot.db`;

    const read = (): AsyncIterable<Uint8Array> =>
      readSnapshot({ node: 'm1', clientUrl: member.clientUrl }, new AbortController().signal);
    const check = (): AsyncIterable<Uint8Array> => checkSnapshot(inBatches(read(), SNAPSHOT_BATCH_BYTES), 'm1');
    const ways: [name: string, act: () => Promise<number>][] = [
      ['read by Salvor and thrown away', () => drain(read())],
      ['with the integrity check', () => drain(check())],
      ['with the check and zstd', () => drain(compress(check(), 'zstd'))],
      ['etcdctl snapshot save', () => save(etcdctl, member.clientUrl, file)],
    ];
    const taken = new Map<string, { wall: number[]; cpu: number[]; etcd: number[]; bytes: number }>();
    for (let round = 1; round <= rounds; round += 1) {
      for (const [name, act] of ways) {
        await execa('sync');
        const [ownBefore, etcdBefore] = [await cpuSeconds(process.pid), await cpuSeconds(member.pid())];
        const startedAt = performance.now();
        const size = await act();
        const wall = (performance.now() - startedAt) / 1_000;
        const entry = taken.get(name) ?? { wall: [], cpu: [], etcd: [], bytes: size };
        entry.wall.push(wall);
        entry.cpu.push((await cpuSeconds(process.pid)) - ownBefore);
        entry.etcd.push((await cpuSeconds(member.pid())) - etcdBefore);
        taken.set(name, entry);
        say(`round ${round}, ${name}: ${seconds(wall)}`);
      }
    }
    const first = taken.get(ways[0]?.[0] ?? '');
    await publish(
      {
        name: 'floor',
        title: 'The floor: a snapshot to nowhere',
        method: `One etcd member with Kubernetes objects; its snapshot has ${Math.round((first?.bytes ?? 0) / 1024 ** 2)} MiB. The figures are medians of ${rounds} rounds, in which all ways take turns.`,
        tables: [
          {
            title: 'Times',
            head: ['', 'time', 'MB/s of the database', "the reader's CPU", "etcd's CPU"],
            rows: [...taken].map(([name, { wall, cpu, etcd }]) => [
              name,
              seconds(median(wall)),
              ((first?.bytes ?? 0) / 1e6 / median(wall)).toFixed(0),
              seconds(median(cpu)),
              seconds(median(etcd)),
            ]),
          },
        ],
        verdicts: [],
      },
      loadBefore,
    );
  } finally {
    await cleanUpAll(cleanups);
  }
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of source) bytes += chunk.length;
  return bytes;
}

async function save(etcdctl: string, clientUrl: string, file: string): Promise<number> {
  await execa(etcdctl, ['--endpoints', clientUrl, 'snapshot', 'save', file]);
  await rm(file);
  return 0;
}
