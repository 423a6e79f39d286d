/** The table of a kill matrix: one line for each activity and phase, one column for each target. */
import { writeFileSync } from 'node:fs';
import type { CellResult, Outcome } from './run-matrix.ts';

const MARKS: Record<Outcome, string> = { restored: 'restored', 'rolled-back': 'rolled back', untouched: 'untouched' };

export interface MatrixReport<Target extends string> {
  title: string;
  /** What was killed, how, and on which system. */
  method: string;
  targets: readonly Target[];
  results: readonly CellResult<Target>[];
}

export function renderMatrix<Target extends string>({ title, method, targets, results }: MatrixReport<Target>): string {
  const rows = Map.groupBy(results, ({ point }) => JSON.stringify([point.activity, point.place, point.phase]));
  const lines = [...rows.values()].map((row) => {
    const { activity, place, phase } = row[0]?.point ?? { activity: '', place: null, phase: '' };
    const cells = targets.map((target) => {
      const found = row.find((result) => result.target === target);
      if (found === undefined) return '';
      return `${found.outcome === undefined ? '**in between**' : MARKS[found.outcome]}, ${found.seconds.toFixed(0)} s`;
    });
    return `| ${phase} ${activity}${place === null ? '' : ` (${place})`} | ${cells.join(' | ')} |`;
  });
  const counts = Object.entries(Object.groupBy(results, ({ outcome }) => outcome ?? 'in between')).map(
    ([outcome, some]) => `${some?.length ?? 0} ${outcome}`,
  );
  const notes = results.filter(({ note }) => note !== '');
  return [
    `# ${title}`,
    '',
    method,
    '',
    `${results.length} restores: ${counts.join(', ')}.`,
    '',
    `| killed | ${targets.join(' | ')} |`,
    `| :-- | ${targets.map(() => ':-- |').join(' ')}`,
    ...lines,
    ...(notes.length === 0 ? [] : ['', '## Notes', '']),
    ...notes.map(
      ({ point, target, note }) =>
        `- ${target}, ${point.phase} ${point.activity}${point.place === null ? '' : ` (${point.place})`}: ${note.replaceAll(/\s+/g, ' ').slice(0, 400)}`,
    ),
    '',
  ].join('\n');
}

/** Writes synchronously, so that two cells that end together can't write at the same time. */
export function keepMatrix<Target extends string>(file: URL, report: MatrixReport<Target>): void {
  writeFileSync(file, renderMatrix(report));
}
