/** What a drill looks at, one thing after the other. */
import type { Proof } from '../../domain/format/manifest.ts';

export interface Seen<T> {
  value: T;
  /** In a few words. */
  seen: string;
  /** It could not be looked at here; `seen` says why, and nothing is proven by it. */
  skipped?: true;
}

/** Does one check, whose failure is an error, and gives what it found. `proof` is the level that is reached by it. */
export type Checking = <T>(name: string, proof: Proof, look: () => Promise<Seen<T>>) => Promise<T>;

/** For whom only the end counts. */
export const unrecorded: Checking = async (_name, _proof, look) => (await look()).value;
