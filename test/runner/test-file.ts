/** Runs one test file in its own process with Node's test runner. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type EventData, run } from 'node:test';
import { inspect } from 'node:util';
import { cacheDirectory, environment } from '../../adapters/environment.ts';
import { type Counts, formatDuration, NOTHING, print, printOutcome } from './report.ts';

const REMINDER_MS = 30_000;

/** Runs a file and prints its outcome: each failed test with its error, then everything that the file printed. */
export async function runTestFile(
  root: string,
  file: string,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Counts> {
  const path = join(root, file);
  const startedAt = performance.now();
  const elapsedMs = (): number => performance.now() - startedAt;
  let current = '';
  let counts = NOTHING;
  const failures: string[] = [];
  const skips: string[] = [];
  let skippedSuites = 0;
  const output: string[] = [];
  const reminder = setInterval(
    () => print(`  ...  ${file} has run for ${formatDuration(elapsedMs())}${current && `: ${current}`}`),
    REMINDER_MS,
  );
  // What one file's worker remembers of its stores is nothing to another's.
  const state = await mkdtemp(join(tmpdir(), 'salvor-test-state-'));
  try {
    const events = run({
      files: [path],
      cwd: root,
      // Tests start hundreds of processes that run the same code.
      env: { NODE_COMPILE_CACHE: join(cacheDirectory(), 'compile-cache'), ...environment(), SALVOR_STATE: state },
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]),
    });
    for await (const { type, data } of events) {
      if (type === 'test:dequeue') current = data.name;
      else if (type === 'test:stdout' || type === 'test:stderr') output.push(data.message);
      else if (type === 'test:fail') failures.push(...describeFailure(root, data));
      else if (type === 'test:pass' && data.name === path) failures.push(`${file} holds no test`);
      else if (type === 'test:pass' && data.skip !== undefined) {
        skips.push(`${data.name}: ${data.skip === true ? 'no reason given' : data.skip}`);
        // Node does not count the tests in a skipped suite.
        if (data.details.type === 'suite') skippedSuites += 1;
      } else if (type === 'test:summary' && data.file === undefined) {
        const { passed, failed, cancelled, skipped, todo } = data.counts;
        counts = { passed, failed: failed + cancelled, skipped: skipped + todo + skippedSuites };
      }
    }
  } finally {
    clearInterval(reminder);
    await rm(state, { recursive: true, force: true });
  }
  // Node reports a file without a test as one passed test.
  if (failures.length > 0 && counts.failed === 0) counts = { passed: 0, failed: 1, skipped: 0 };
  printOutcome(file, counts, elapsedMs());
  for (const skip of skips) print(`       skipped ${skip}`);
  if (counts.failed > 0) {
    for (const failure of failures) print(`\n${failure}`);
    if (output.length > 0) print(`\n---- what ${file} printed\n${output.join('').trimEnd()}\n----`);
    print('');
  }
  return counts;
}

function describeFailure(root: string, data: EventData.TestFail): string[] {
  const { error } = data.details;
  // Each failed subtest has already been described.
  const isParent = 'failureType' in error && error.failureType === 'subtestsFailed';
  if (isParent || data.todo !== undefined) return [];
  const name = data.name === data.file ? 'the whole file' : data.name;
  const where = data.file === undefined ? '' : ` (${relative(root, data.file)}:${data.line ?? 1})`;
  return [`FAIL ${name}${where}\n${inspect(error.cause ?? error, { depth: 10 })}`];
}
