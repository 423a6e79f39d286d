/** What a benchmark started and made, ended and removed in the opposite order. */

export type Cleanup = () => Promise<unknown>;

/** The last one first; one that fails doesn't keep the others from being done. */
export async function cleanUpAll(cleanups: Cleanup[]): Promise<void> {
  const failures: unknown[] = [];
  for (const cleanUp of cleanups.toReversed()) {
    await cleanUp().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, 'not everything could be cleaned up');
}
