/** The figures of a catalogue for each store, for metrics. */
import type { Catalogue } from './found-backup.ts';
import { PROOFS } from '../format/manifest.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';
import type { FoundBackup } from './found-backup.ts';
import { isGood } from './catalogue-entry.ts';

/** The first level of proof that says more than that the bytes are there. */
const PROVEN = PROOFS.indexOf('restored');

export interface StoreFigures {
  store: string;
  /** Everything that the store holds for the cluster. */
  bytes: number;
  backups: Record<CatalogueEntry['state'], number>;
  /** Backups of which the store lacks something that it should have. */
  degradedCopies: number;
  /** The newest backup that is complete in this store. */
  newest: { takenAt: Date; bytes: number } | undefined;
  /** The newest backup whose copy in this store was restored by a drill. */
  newestProven: { takenAt: Date } | undefined;
}

/** @param stores the stores that were read */
export function storeFigures({ entries, orphans }: Catalogue, stores: string[]): StoreFigures[] {
  return stores.map((store) => {
    const backups = { complete: 0, degraded: 0, foreign: 0, broken: 0 };
    let bytes = orphans.reduce((sum, object) => sum + (object.store === store ? object.bytes : 0), 0);
    let degradedCopies = 0;
    for (const { entry, objects, missing } of entries) {
      const own = objects.filter((object) => object.store === store);
      if (own.length > 0) backups[entry.state] += 1;
      bytes += own.reduce((sum, object) => sum + object.bytes, 0);
      if (missing.some((copy) => copy.store === store)) degradedCopies += 1;
    }
    const whole = entries.filter((found) => isWhole(found, store));
    // The catalogue is sorted, newest first.
    const [newest] = whole;
    const proven = whole.find(({ verified }) => verified?.store === store && PROOFS.indexOf(verified.proof) >= PROVEN);
    return {
      store,
      bytes,
      backups,
      degradedCopies,
      newest: newest && { takenAt: new Date(newest.entry.takenAt), bytes: newest.entry.bytes },
      newestProven: proven && { takenAt: new Date(proven.entry.takenAt) },
    };
  });
}

/** Whether the backup is good and this store has everything of it that it should have. */
function isWhole({ entry, missing }: FoundBackup, store: string): boolean {
  if (!isGood(entry)) return false;
  return entry.stores.includes(store) && missing.every((copy) => copy.store !== store);
}
