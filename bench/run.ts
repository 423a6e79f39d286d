/**
 * `make bench`: measures Salvor against what one would use instead; bench/README.md says what and how. Linux only.
 *
 *   node bench/run.ts [backup|memory|floor|catalogue|downtime]... [--mib 1024] [--rounds 3]
 */
import { parseArgs } from 'node:util';
import { benchBackup } from './backup.ts';
import { benchCatalogue } from './catalogue.ts';
import { benchDowntime } from './downtime.ts';
import { benchFloor } from './floor.ts';
import { benchMemory } from './memory.ts';
import { say } from './harness/report.ts';

const { values, positionals } = parseArgs({
  options: { mib: { type: 'string', default: '1024' }, rounds: { type: 'string', default: '3' } },
  allowPositionals: true,
});
const bytes = Number(values.mib) * 1024 ** 2;
const rounds = Number(values.rounds);
if (!(bytes > 0 && rounds > 0)) throw new Error('--mib and --rounds take positive numbers');

const BENCHMARKS: Record<string, () => Promise<void>> = {
  floor: () => benchFloor({ bytes, rounds }),
  backup: () => benchBackup({ bytes, rounds }),
  memory: benchMemory,
  catalogue: benchCatalogue,
  // On the lab: see test/lab/README.md.
  downtime: () => benchDowntime({ smallBytes: 10 * 1024 ** 2, largeBytes: 2 * 1024 ** 3 }),
};
const unknown = positionals.find((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown !== undefined) throw new Error(`${unknown}: expected one of ${Object.keys(BENCHMARKS).join(', ')}`);
for (const [name, bench] of Object.entries(BENCHMARKS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  say(`== ${name}`);
  await bench();
}
