/**
 * `make test`: lint, types, format and every test. Third-party binaries are fetched or built meanwhile, and the tests that
 * need one begin when it is there. The last line is `N passed, N failed, N skipped`; the exit code is 0 when none failed.
 *
 *   node test/run.ts [--all] [--only checks|unit|workflow|system|kubernetes|chaos|e2e]... [glob or part of a path]...
 */
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { runChecks } from './runner/checks.ts';
import { startProvision } from './runner/provision.ts';
import { add, type Counts, formatCounts, formatDuration, NOTHING, print } from './runner/report.ts';
import { findTestFiles, type Suite, suiteOf, SUITES } from './runner/suites.ts';
import { runTestFile } from './runner/test-file.ts';

const ROOT = dirname(import.meta.dirname);
const PARTS: readonly string[] = ['checks', ...SUITES.map(({ name }) => name)];

async function main(): Promise<Counts> {
  const { values, positionals } = parseArgs({
    options: { only: { type: 'string', multiple: true, default: [] }, all: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const unknown = values.only.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: expected one of ${PARTS.join(', ')}`);
  const left = new Set<string>(
    SUITES.filter(({ onlyWith }) => onlyWith === 'name' || (onlyWith === 'all' && !values.all)).map(({ name }) => name),
  );
  const chosen = (part: string): boolean =>
    values.only.length > 0 ? values.only.includes(part) : positionals.length > 0 || !left.has(part);

  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort(new Error(name)));
  const { signal } = interrupt;

  const startedAt = performance.now();
  const files = (await findTestFiles(ROOT, positionals)).filter((file) => chosen(suiteOf(file)));
  const suites = SUITES.map((suite) => ({ suite, files: files.filter((file) => suiteOf(file) === suite.name) })).filter(
    (entry) => entry.files.length > 0,
  );
  const provision = await startProvision(ROOT, new Set(suites.flatMap(({ suite }) => suite.needs)), signal);

  let total = NOTHING;
  const times: string[] = [];
  async function timed(name: string, work: () => Promise<Counts>): Promise<void> {
    const beganAt = performance.now();
    print(`${name} (${formatDuration(beganAt - startedAt)} after the start)`);
    total = add(total, await work());
    times.push(`${name} ${formatDuration(performance.now() - beganAt)}`);
    signal.throwIfAborted();
  }

  if (chosen('checks') && positionals.length === 0) await timed('checks', () => runChecks(ROOT, signal));
  for (const { suite, files: suiteFiles } of suites) {
    await timed(suite.name, async () => {
      const reason = await provision.missing(suite.needs);
      if (reason === undefined) return runSuite(suite, suiteFiles, signal);
      print(`  SKIPPED, each file counted as one test, because of ${reason}`);
      for (const file of suiteFiles) print(`  skip ${file}`);
      return { ...NOTHING, skipped: suiteFiles.length };
    });
  }

  const start = provision.warm ? 'every binary at hand' : 'binaries fetched or built meanwhile';
  print(`\nTook ${formatDuration(performance.now() - startedAt)} (${start}): ${times.join(', ')}`);
  return total;
}

async function runSuite(suite: Suite, files: readonly string[], signal: AbortSignal): Promise<Counts> {
  const waiting = [...files];
  let counts = NOTHING;
  async function worker(): Promise<void> {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runTestFile(ROOT, file, { timeoutMs: suite.timeoutMs, signal });
      counts = add(counts, result);
      signal.throwIfAborted();
    }
  }
  await Promise.all(Array.from({ length: suite.concurrency }, worker));
  return counts;
}

try {
  const counts = await main();
  const ran = counts.passed + counts.failed > 0;
  if (!ran) print('make test: no test ran: nothing matched, or everything was skipped');
  print(formatCounts(counts));
  process.exitCode = ran && counts.failed === 0 ? 0 : 1;
} catch (error) {
  print(`make test: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
