/** The checks of a drill, one after the other. */
import type { Proof } from '../../domain/format/manifest.ts';

export interface Seen<T> {
  value: T;
  /** What was seen, in a few words. */
  seen: string;
  /** The check could not be done here; `seen` says why, and it proves nothing. */
  skipped?: true;
}

/** Does one check and returns what it found; a failed check throws. A passed check reaches the level `proof`. */
export type Checking = <T>(name: string, proof: Proof, look: () => Promise<Seen<T>>) => Promise<T>;

/** For callers to whom only the result matters. */
export const unrecorded: Checking = async (_name, _proof, look) => (await look()).value;
