/** What a drill has seen so far, and the level to which the backup is proven. */
import { type FailureType, SalvorError } from '../../domain/errors.ts';
import { type Proof, PROOFS } from '../../domain/format/manifest.ts';
import type { DrillCheck } from '../../domain/format/verified.ts';
import type { Checking } from './checking.ts';

export interface DrillRecord {
  readonly checks: DrillCheck[];
  /** The stores that hold part of the backup. */
  readonly holders: Set<string>;
  /** Each check that found the backup itself to be wrong, with what it saw. */
  readonly corrupt: string[];
  /** A check of fetched data; the first one that fails ends the drill with an error. */
  readonly check: Checking;
  /**
   * A check of an object in one store.
   * @param read returns what was seen; undefined when nothing is there and nothing was expected
   * @returns whether it is there and correct
   */
  inStore: (name: string, store: string, read: () => Promise<string | undefined>) => Promise<boolean>;
  proof: () => Proof;
  /** Why a store could not be read, if one could not. */
  trouble: () => SalvorError | undefined;
}

/** Failures that say nothing about the backup, only about access to one store's copy. */
const STORE_TROUBLE: FailureType[] = ['StoreMissing', 'StoreUnavailable', 'AccessDenied', 'ArtifactMissing'];

export function openRecord(): DrillRecord {
  const checks: DrillCheck[] = [];
  const holders = new Set<string>();
  const corrupt: string[] = [];
  const unread = new Map<string, SalvorError>();
  let proof: Proof = 'written';

  function fail(name: string, error: SalvorError): void {
    checks.push({ name, ok: false, seen: error.message });
    if (error.type === 'BackupCorrupt') corrupt.push(`${name}: ${error.message}`);
  }

  return {
    checks,
    holders,
    corrupt,
    proof: () => proof,
    async check(name, level, look) {
      try {
        const { value, seen, skipped } = await look();
        checks.push({ name, ok: true, ...(skipped && { skipped }), seen });
        // A wrong copy elsewhere does not lower the level that a restore from this store can rely on.
        if (!skipped && corrupt.length === 0) proof = higher(proof, level);
        return value;
      } catch (error) {
        if (error instanceof SalvorError && error.type === 'BackupCorrupt') fail(name, error);
        throw error;
      }
    },
    async inStore(name, store, read) {
      // A store that did not answer a moment ago would only cause another wait.
      if (unread.has(store)) return false;
      try {
        const seen = await read();
        if (seen === undefined) return false;
        holders.add(store);
        checks.push({ name, ok: true, seen });
        return true;
      } catch (error) {
        if (!(error instanceof SalvorError)) throw error;
        if (error.type === 'BackupCorrupt') holders.add(store);
        else if (!STORE_TROUBLE.includes(error.type)) throw error;
        else if (error.type !== 'ArtifactMissing') unread.set(store, error);
        fail(name, error);
        return false;
      }
    },
    trouble: () => unread.values().next().value,
  };
}

function higher(a: Proof, b: Proof): Proof {
  return PROOFS.indexOf(a) > PROOFS.indexOf(b) ? a : b;
}
