/** `make bench`: every benchmark, or those named. Each prints its result and writes it to bench/results. */
import { benchFloor } from './floor.ts';

const BENCHES: Record<string, () => Promise<void>> = { floor: benchFloor };

const named = process.argv.slice(2);
const unknown = named.find((name) => !Object.hasOwn(BENCHES, name));
if (unknown !== undefined) {
  process.stderr.write(`bench: "${unknown}" is none; there are: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(BENCHES)) {
  if (named.length === 0 || named.includes(name)) await bench();
}
