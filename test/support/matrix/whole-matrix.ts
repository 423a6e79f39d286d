/** The kill matrix, or an even sample of it: every cell is run and said, and the table is kept when asked for. */
import assert from 'node:assert/strict';
import { environmentVariable } from '../../../adapters/environment.ts';
import { type Cell, everyCell, pointsOf, sampleOf } from './points.ts';
import { keepMatrix } from './report.ts';
import { type Arena, baseline, type CellResult, runCell } from './run-matrix.ts';

export interface MatrixOptions<Target extends string> {
  targets: readonly Target[];
  /** How many cells; all unless told. */
  sample?: number;
  /** Where the table is kept, written after each cell. */
  report?: { file: URL; title: string; method: string };
}

/** What a suite runs by itself, and how its table is called. */
export interface Suite<Target extends string> {
  targets: readonly Target[];
  sample: number;
  report: { name: string; title: string; method: string };
}

/**
 * What SALVOR_MATRIX asks of a suite: `all`, so many cells, or every cell of one target, each with its table; without
 * it a sample with none.
 */
export function wished<Target extends string>({ targets, sample, report }: Suite<Target>): MatrixOptions<Target> {
  const wish = environmentVariable('SALVOR_MATRIX');
  if (wish === undefined) return { targets, sample };
  const file = (name: string) => new URL(`../../../docs/reports/${name}.md`, import.meta.url);
  const kept = { ...report, file: file(report.name) };
  if (wish === 'all') return { targets, report: kept };
  const target = targets.find((one) => one === wish);
  if (target !== undefined) {
    const name = `${report.name}-${target.toLowerCase().replaceAll(' ', '-')}`;
    return { targets: [target], report: { ...report, file: file(name), title: `${report.title}: ${target}` } };
  }
  const count = Number(wish);
  assert.ok(count > 0, `SALVOR_MATRIX is ${wish}; expected all, a number, or one of ${targets.join(', ')}`);
  return { targets, sample: count, report: kept };
}

/**
 * @param arenas a cell is run in the first that is free
 * @throws AssertionError naming the cells that ended neither way, when all have run
 */
export async function runMatrix<Target extends string>(
  arenas: readonly [Arena<Target>, ...Arena<Target>[]],
  { targets, sample, report }: MatrixOptions<Target>,
): Promise<void> {
  const all = everyCell(pointsOf(await baseline(arenas[0])), targets);
  const cells = sample === undefined ? all : sampleOf(all, sample);
  const results = new Map<Cell<Target>, CellResult<Target>>();
  const inOrder = () => cells.flatMap((cell) => results.get(cell) ?? []);
  // One iterator for all: each cell is taken once.
  const waiting = cells.values();
  async function runCells(arena: Arena<Target>): Promise<void> {
    for (const cell of waiting) {
      const result = await runCell(arena, cell);
      const { point, target, outcome, note, seconds } = result;
      results.set(cell, result);
      process.stderr.write(
        `${results.size}/${cells.length} ${target} ${point.phase} ${point.activity} ${point.place ?? ''}: ${outcome ?? 'IN BETWEEN'} ${seconds} s ${note}\n`,
      );
      if (!report) continue;
      const method = `${report.method} ${cells.length} of ${all.length} cells${cells.length < all.length ? ', spread evenly' : ''}.`;
      keepMatrix(report.file, { title: report.title, method, targets, results: inOrder() });
    }
  }
  await Promise.all(arenas.map(runCells));
  assert.deepEqual(
    inOrder()
      .filter(({ outcome }) => outcome === undefined)
      .map(({ point, target, note }) => ({ point, target, note })),
    [],
  );
}
