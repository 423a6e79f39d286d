/** Runs jobs that share the machine's cores. */

export interface Job {
  /** How many cores the job takes while it runs; `Infinity` if it must run alone. */
  cores: number;
  /** Resolves when the job may start; it must not reject. */
  ready: Promise<unknown>;
  run(): Promise<void>;
}

/**
 * Runs all jobs, always starting the first one that is ready as soon as there is room for it. A job that takes more
 * cores than the machine has runs alone.
 * @throws the first error of a job, after the running jobs have ended; no job is started after it
 */
export async function runPool(jobs: readonly Job[], cores: number): Promise<void> {
  const waiting = [...jobs];
  const isReady = new Set<Job>();
  const running = new Map<Job, Promise<void>>();
  const failures: unknown[] = [];
  const becoming = new Map(
    jobs.map((job) => [
      job,
      job.ready.then(() => {
        isReady.add(job);
        becoming.delete(job);
      }),
    ]),
  );

  function fits(job: Job): boolean {
    const taken = [...running.keys()].reduce((sum, other) => sum + other.cores, 0);
    return running.size === 0 || taken + job.cores <= cores;
  }

  async function run(job: Job): Promise<void> {
    try {
      await job.run();
    } catch (error) {
      failures.push(error);
    }
    running.delete(job);
  }

  // Jobs that are ready already are marked within this turn.
  await Promise.resolve();
  while (failures.length === 0 && (waiting.length > 0 || running.size > 0)) {
    const next = waiting.find((job) => isReady.has(job));
    if (next !== undefined && fits(next)) {
      waiting.splice(waiting.indexOf(next), 1);
      running.set(next, run(next));
      continue;
    }
    await Promise.race([...running.values(), ...(next === undefined ? becoming.values() : [])]);
  }
  await Promise.all(running.values());
  if (failures.length > 0) throw failures[0];
}
