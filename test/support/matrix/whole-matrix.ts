/** Runs the kill matrix or an even sample of it: runs and reports every cell, and keeps the table on request. */
import assert from 'node:assert/strict';
import { environmentVariable } from '../../../adapters/environment.ts';
import { type Cell, everyCell, pointsOf, sampleOf } from './points.ts';
import { keepMatrix } from './report.ts';
import { type Arena, baseline, type CellResult, runCell } from './run-matrix.ts';

export interface MatrixOptions<Target extends string> {
  targets: readonly Target[];
  /** The number of cells; default: all. */
  sample?: number;
  /** The file of the table, which is written after each cell. */
  report?: { file: URL; title: string; method: string };
}

/** What a suite runs by default, and the name of its table. */
export interface Suite<Target extends string> {
  targets: readonly Target[];
  sample: number;
  report: { name: string; title: string; method: string };
}

/**
 * Reads SALVOR_MATRIX: `all`, a number of cells, or every cell of one target, each with a table. Without the variable,
 * a suite runs a sample and keeps no table.
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
 * @param arenas a cell runs in the first one that is free
 * @throws AssertionError after all cells have run, naming those that ended in none of the three ways
 */
export async function runMatrix<Target extends string>(
  arenas: readonly [Arena<Target>, ...Arena<Target>[]],
  { targets, sample, report }: MatrixOptions<Target>,
): Promise<void> {
  const all = everyCell(pointsOf(await baseline(arenas[0])), targets);
  const cells = sample === undefined ? all : sampleOf(all, sample);
  const results = new Map<Cell<Target>, CellResult<Target>>();
  const inOrder = () => cells.flatMap((cell) => results.get(cell) ?? []);
  // All share one iterator, so each cell is taken once.
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
