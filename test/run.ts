/**
 * `make test`: lint, types, format and every test. Third-party binaries are fetched or built meanwhile, and a test that
 * needs one begins as soon as it is ready. The last line is `N passed, N failed, N skipped`; the exit code is 0 if none
 * failed.
 *
 *   node test/run.ts [--all] [--only checks|unit|workflow|system|kubernetes|slow|chaos|e2e]... [glob or part of a path]...
 */
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { CHECKS, runCheck } from './runner/checks.ts';
import { type Job, runPool } from './runner/pool.ts';
import { startProvision } from './runner/provision.ts';
import { add, type Counts, formatCounts, formatDuration, NOTHING, print } from './runner/report.ts';
import { findTestFiles, needsOf, suiteOf, SUITES } from './runner/suites.ts';
import { runTestFile } from './runner/test-file.ts';

const ROOT = dirname(import.meta.dirname);
const PARTS: readonly string[] = ['checks', ...SUITES.map(({ name }) => name)];
/** More jobs would need more memory and ports than a machine may have. */
const CORES = Math.min(availableParallelism(), 4);

async function main(): Promise<Counts> {
  const { values, positionals } = parseArgs({
    options: { only: { type: 'string', multiple: true, default: [] }, all: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const unknown = values.only.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: expected one of ${PARTS.join(', ')}`);
  const left = new Set<string>(SUITES.filter(({ onlyWithAll }) => onlyWithAll && !values.all).map(({ name }) => name));
  const chosen = (part: string): boolean =>
    values.only.length > 0 ? values.only.includes(part) : positionals.length > 0 || !left.has(part);

  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort(new Error(name)));
  const { signal } = interrupt;

  const startedAt = performance.now();
  const files = (await findTestFiles(ROOT, positionals)).filter((file) => chosen(suiteOf(file)));
  const suites = await Promise.all(
    SUITES.map(async (suite) => {
      const own = files.filter((file) => suiteOf(file) === suite.name);
      return { suite, files: own, lacking: own.length > 0 ? ((await suite.missing?.()) ?? []) : [] };
    }),
  );
  const runnable = suites.filter(({ files, lacking }) => files.length > 0 && lacking.length === 0);
  const provision = await startProvision(
    ROOT,
    new Set(runnable.flatMap(({ suite, files }) => files.flatMap((file) => needsOf(suite, file)))),
    signal,
  );

  let total = NOTHING;
  const spentMs = new Map<string, number>();
  const jobs: Job[] = [];
  function addJob(part: string, { cores, ready }: Pick<Job, 'cores' | 'ready'>, work: () => Promise<Counts>): void {
    jobs.push({
      cores,
      ready,
      async run() {
        signal.throwIfAborted();
        const beganAt = performance.now();
        const counts = await work();
        // Other jobs have ended meanwhile, so read the sum only now.
        total = add(total, counts);
        spentMs.set(part, (spentMs.get(part) ?? 0) + performance.now() - beganAt);
      },
    });
  }

  if (chosen('checks') && positionals.length === 0) {
    for (const check of CHECKS) {
      addJob('checks', { cores: 1, ready: Promise.resolve() }, () => runCheck(ROOT, check, signal));
    }
  }
  for (const { suite, files: suiteFiles, lacking } of suites) {
    for (const file of suiteFiles) {
      const reason = async (): Promise<string | undefined> =>
        lacking.length > 0 ? lacking.join('; ') : await provision.missing(needsOf(suite, file));
      addJob(suite.name, { cores: suite.cores, ready: reason() }, async () => {
        const why = await reason();
        return why === undefined ? runTestFile(ROOT, file, { timeoutMs: suite.timeoutMs, signal }) : skip(file, why);
      });
    }
  }
  await runPool(jobs, CORES);

  const start = provision.warm ? 'every binary at hand' : 'binaries fetched or built meanwhile';
  const parts = [...spentMs].map(([part, ms]) => `${part} ${formatDuration(ms)}`).join(', ');
  print(`\nTook ${formatDuration(performance.now() - startedAt)} on ${CORES} cores (${start}); in all: ${parts}`);
  return total;
}

/** Counts a file that can't run as one test. */
function skip(file: string, reason: string): Counts {
  print(`  skip ${file}, counted as one test: ${reason}`);
  return { ...NOTHING, skipped: 1 };
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
