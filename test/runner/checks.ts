/** Lint, types and format, each counted as one test. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type Counts, NOTHING, print, printOutcome } from './report.ts';

export const CHECKS = [
  { name: 'lint', argv: ['oxlint'] },
  { name: 'types', argv: ['tsc', '-p', '.'] },
  { name: 'format', argv: ['prettier', '--check', '--log-level', 'warn', '.'] },
] as const;

/** Runs a check; the output of one that fails is shown in full. */
export async function runCheck(
  root: string,
  { name, argv }: (typeof CHECKS)[number],
  signal: AbortSignal,
): Promise<Counts> {
  const startedAt = performance.now();
  const [command, ...args] = argv;
  const child = spawn(join(root, 'node_modules/.bin', command), args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  const [exitCode, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  const outcome = exitCode === 0 ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1 };
  printOutcome(name, outcome, performance.now() - startedAt);
  // oxlint colours its output wherever CI is set, also in a file.
  if (exitCode !== 0) print(stripVTControlCharacters(`${stdout}${stderr}`));
  return outcome;
}
