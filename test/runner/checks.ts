/** Runs lint, types and format, and counts each as one test. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { cacheDirectory } from '../../adapters/environment.ts';
import { type Counts, NOTHING, print, printOutcome } from './report.ts';

export interface Check {
  name: string;
  command: string;
  args: string[];
}

/** The cache of files that had this content and the right format before; they are not read again. */
const FORMAT_CACHE = ['--cache', '--cache-strategy=content', `--cache-location=${join(cacheDirectory(), 'prettier')}`];

export const CHECKS: readonly Check[] = [
  { name: 'lint', command: 'oxlint', args: [] },
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'format', command: 'prettier', args: ['--check', '--log-level=warn', ...FORMAT_CACHE, '.'] },
];

/** Runs a check; if it fails, its output is shown in full. */
export async function runCheck(root: string, { name, command, args }: Check, signal: AbortSignal): Promise<Counts> {
  const startedAt = performance.now();
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
  // If CI is set, oxlint colours its output even in a file.
  if (exitCode !== 0) print(stripVTControlCharacters(`${stdout}${stderr}`));
  return outcome;
}
