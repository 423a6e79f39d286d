/** Which backup is verified next. Pure. */
import { type Proof, PROOFS } from '../format/manifest.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';
import { isGood } from './catalogue-entry.ts';

/** What the choice needs to know of a backup. */
export interface DrillCandidate {
  entry: Pick<CatalogueEntry, 'backup' | 'takenAt' | 'state' | 'proof'>;
  /** What its last drill saw; absent when it was never drilled. */
  verified?: { verifiedAt: string };
}

/**
 * `latest`: the newest good one. `oldest-proof`: the good one whose last drill is the longest ago. Neither: as a
 * schedule wants it.
 */
export type DrillWish = 'latest' | 'oldest-proof' | undefined;

/** The level from which a backup counts as proven. */
const PROVEN: Proof = 'restored';

/**
 * Chooses among backups in any order; only good ones, complete or degraded, are chosen. Those that were never drilled
 * come before all that were, the oldest first. Without a wish it is the newest one until that is proven, and then the
 * one whose proof is the oldest, so that a schedule keeps what a restore would take proven and gets round to the old
 * ones.
 * @returns undefined when there is no good backup
 */
export function chooseForDrill<T extends DrillCandidate>(
  backups: readonly T[],
  wish: DrillWish,
): { chosen: T; why: string } | undefined {
  const good = backups.filter(({ entry }) => isGood(entry));
  const [newest] = good.toSorted((a, b) => compare(b.entry.takenAt, a.entry.takenAt));
  const [oldestProof] = good.toSorted(
    (a, b) =>
      compare(a.verified?.verifiedAt ?? '', b.verified?.verifiedAt ?? '') || compare(a.entry.takenAt, b.entry.takenAt),
  );
  if (newest === undefined || oldestProof === undefined) return undefined;
  if (wish === 'latest') return { chosen: newest, why: 'the newest good one' };
  if (wish === undefined && !isProven(newest)) return { chosen: newest, why: 'the newest good one, not proven yet' };
  const { verified } = oldestProof;
  return { chosen: oldestProof, why: verified ? `last drilled at ${verified.verifiedAt}` : 'never drilled yet' };
}

function isProven({ entry }: DrillCandidate): boolean {
  return entry.proof !== null && PROOFS.indexOf(entry.proof) >= PROOFS.indexOf(PROVEN);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
