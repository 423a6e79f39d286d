/** The kill matrix, or an even sample of it: every cell is run and said, and the table is kept when asked for. */
import assert from 'node:assert/strict';
import { everyCell, pointsOf, sampleOf } from './points.ts';
import { keepMatrix } from './report.ts';
import { type Arena, baseline, type CellResult, runCell } from './run-matrix.ts';

export interface MatrixOptions<Target extends string> {
  targets: readonly Target[];
  /** How many cells; all unless told. */
  sample?: number;
  /** Where the table is kept, written after each cell. */
  report?: { file: URL; title: string; method: string };
}

/** @throws AssertionError naming the cells that ended neither way, when all have run */
export async function runMatrix<Target extends string>(
  arena: Arena<Target>,
  { targets, sample, report }: MatrixOptions<Target>,
): Promise<void> {
  const all = everyCell(pointsOf(await baseline(arena)), targets);
  const cells = sample === undefined ? all : sampleOf(all, sample);
  const results: CellResult<Target>[] = [];
  for (const cell of cells) {
    const result = await runCell(arena, cell);
    const { point, target, outcome, note, seconds } = result;
    results.push(result);
    process.stderr.write(
      `${results.length}/${cells.length} ${target} ${point.phase} ${point.activity} ${point.place ?? ''}: ${outcome ?? 'IN BETWEEN'} ${seconds} s ${note}\n`,
    );
    if (!report) continue;
    const method = `${report.method} ${cells.length} of ${all.length} cells${cells.length < all.length ? ', spread evenly' : ''}.`;
    await keepMatrix(report.file, { title: report.title, method, targets, results });
  }
  assert.deepEqual(
    results.filter(({ outcome }) => outcome === undefined).map(({ point, target, note }) => ({ point, target, note })),
    [],
  );
}
