/** The results of `doctor`. */
import { type Look, paint, plain } from './format.ts';

export interface Check {
  name: string;
  ok: boolean;
  seen: string;
  advice?: string;
}

export function renderChecks(checks: Check[], look: Look): string {
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  const failed = checks.filter(({ ok }) => !ok).length;
  return [
    ...checks.flatMap(({ name, ok, seen, advice }) => [
      `${ok ? paint(look, 'green', '✔') : paint(look, 'red', '✖')} ${plain(name).padEnd(width)}  ${plain(seen)}`,
      ...(advice === undefined ? [] : [paint(look, 'yellow', `  ${' '.repeat(width)}  → ${plain(advice)}`)]),
    ]),
    '',
    failed === 0
      ? paint(look, 'green', `All ${checks.length} checks passed.`)
      : paint(look, 'red', `${failed} of ${checks.length} checks failed.`),
  ].join('\n');
}
