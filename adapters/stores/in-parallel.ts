/** Works on many items, a few at a time. */

/** Runs `act` for every item, at most `atOnce` at a time; results are in the items' order. The first error ends it. */
export async function inParallel<T, R>(items: T[], atOnce: number, act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const remaining = items.entries();
  async function work(): Promise<void> {
    for (const [index, item] of remaining) results[index] = await act(item);
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return results;
}
