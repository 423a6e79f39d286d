/** Stops and removes what a benchmark started and made, in the opposite order. */

export type Cleanup = () => Promise<unknown>;

/** Runs the last one first; a failure does not keep the others from running. */
export async function cleanUpAll(cleanups: Cleanup[]): Promise<void> {
  const failures: unknown[] = [];
  for (const cleanUp of cleanups.toReversed()) {
    await cleanUp().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, 'not everything could be cleaned up');
}
