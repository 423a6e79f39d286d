/** What the demo puts into the cluster, destroys and looks for afterwards. */

/** What an object must be again after the restore, by a name for people. */
export type Remembered = ReadonlyMap<string, string>;

export interface World {
  /** What it consists of, for people. */
  readonly contents: string;
  /** Puts the objects in, and gives them as the cluster then has them. */
  fill(): Promise<Remembered>;
  /** Deletes them all, and waits until they are gone. Gives what was done, in a few words. */
  destroy(): Promise<string>;
  /** The objects as one node of the playground gives them. */
  read(node: string): Promise<Remembered>;
}

/** The names of objects that are missing or differ. */
export function differences(wanted: Remembered, found: Remembered): string[] {
  return [...wanted].filter(([name, content]) => found.get(name) !== content).map(([name]) => name);
}

/** Does something for each item, a few at a time. */
export async function forEachOf<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items.values();
  const lane = async (): Promise<void> => {
    for (const item of waiting) await act(item);
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}
