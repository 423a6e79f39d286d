/** What the demo puts into the cluster, destroys and looks for afterwards. */

/** The content that each object must have again after the restore, by a name for people. */
export type Remembered = ReadonlyMap<string, string>;

export interface World {
  /** A description of the contents, for people. */
  readonly contents: string;
  /** Creates the objects, and returns them as the cluster then has them. */
  fill(): Promise<Remembered>;
  /** Deletes them all, waits until they are gone, and returns a short description of what was done. */
  destroy(): Promise<string>;
  /** The objects as one node of the playground returns them. */
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
