/** The floor of every backup: reading a snapshot out of etcd and checking it, against what `etcdctl snapshot save` needs for the same. */
import { loadavg } from 'node:os';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withMember } from '../adapters/etcd/inspect.ts';
import { checkSnapshot } from '../adapters/etcd/integrity.ts';
import { provideTool } from '../tools/binaries.ts';
import { fill } from './data/fill.ts';
import { benchFolder, startEtcd } from './harness/parts.ts';
import { runMeasured } from './harness/processes.ts';
import { mebibytes, median, publish, say, seconds } from './harness/report.ts';

const DATABASE_BYTES = 512 * 1024 ** 2;
const ROUNDS = 5;

export async function benchFloor(): Promise<void> {
  const loadBefore = loadavg()[0] ?? 0;
  const folder = await benchFolder('floor');
  const { member, stop } = await startEtcd(folder);
  try {
    const clientUrl = member.clientUrl;
    say(`filling etcd with ${mebibytes(DATABASE_BYTES)}`);
    await fill(clientUrl, 'random', DATABASE_BYTES);
    const { path: etcdctl } = await provideTool('etcdctl');
    const rows: string[][] = [];
    const ratios: number[] = [];
    let bytes = 0;
    for (let round = 1; round <= ROUNDS; round += 1) {
      const read = await readSnapshot(clientUrl);
      bytes = read.bytes;
      const file = join(folder, 'etcdctl.db');
      await rm(file, { force: true });
      const saved = await runMeasured([etcdctl, `--endpoints=${clientUrl}`, 'snapshot', 'save', file]);
      const ratio = read.wallSeconds / saved.wallSeconds;
      ratios.push(ratio);
      rows.push([String(round), seconds(read.wallSeconds), seconds(saved.wallSeconds), ratio.toFixed(2)]);
      say(`round ${round}: ${rows.at(-1)?.slice(1).join(', ')}`);
    }
    await publish(
      {
        name: 'floor',
        title: 'Reading a snapshot to nowhere',
        method: `A snapshot of ${mebibytes(bytes)} of random bytes, read and checked against etcd's own hash, and \`etcdctl snapshot save\` to a file, in turn.`,
        tables: [{ title: 'Rounds', head: ['round', 'Salvor, to nowhere', 'etcdctl, to a file', 'ratio'], rows }],
        verdicts: [`Median ratio ${median(ratios).toFixed(2)}: below 1, Salvor needs less time.`],
      },
      loadBefore,
    );
  } finally {
    await stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function readSnapshot(clientUrl: string): Promise<{ bytes: number; wallSeconds: number }> {
  const startedAt = performance.now();
  let bytes = 0;
  await withMember({ node: 'bench', clientUrl }, async (opened) => {
    const stream = opened.snapshot(AbortSignal.timeout(600_000));
    for await (const chunk of checkSnapshot(stream, 'the snapshot')) bytes += chunk.length;
  });
  return { bytes, wallSeconds: (performance.now() - startedAt) / 1000 };
}
