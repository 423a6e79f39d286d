/**
 * `make bench`: measures Salvor against its alternatives; bench/README.md says what and how. Linux only.
 *
 *   node bench/run.ts [backup|memory|floor|catalogue|downtime]... [--mib 1024] [--rounds 3] [--mb 100,1000,4000] [--large-mib 2048]
 */
import { parseArgs } from 'node:util';
import { benchBackup } from './backup.ts';
import { benchCatalogue } from './catalogue.ts';
import { benchDowntime } from './downtime.ts';
import { benchFloor } from './floor.ts';
import { benchMemory } from './memory.ts';
import { say } from './harness/report.ts';

const { values, positionals } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '3' },
    mb: { type: 'string', default: '100,1000,4000' },
    // The size of the large database for `downtime`; filling it and copying it to three nodes takes most of the half
    // hour.
    'large-mib': { type: 'string', default: '2048' },
  },
  allowPositionals: true,
});
const bytes = Number(values.mib) * 1024 ** 2;
const rounds = Number(values.rounds);
const sizes = values.mb.split(',').map(Number);
const largeBytes = Number(values['large-mib']) * 1024 ** 2;
if (![bytes, rounds, largeBytes, ...sizes].every((value) => value > 0))
  throw new Error('--mib, --rounds, --mb and --large-mib take positive numbers');

const BENCHMARKS: Record<string, () => Promise<void>> = {
  floor: () => benchFloor({ bytes, rounds }),
  backup: () => benchBackup({ bytes, rounds }),
  memory: () => benchMemory(sizes),
  catalogue: benchCatalogue,
  // Runs on the lab; see playground/lab/README.md.
  downtime: () => benchDowntime({ smallBytes: 10 * 1024 ** 2, largeBytes }),
};
const unknown = positionals.find((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown !== undefined) throw new Error(`${unknown}: expected one of ${Object.keys(BENCHMARKS).join(', ')}`);
for (const [name, bench] of Object.entries(BENCHMARKS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  say(`== ${name}`);
  await bench();
}
