/** Chooses the backup that is verified next. Pure. */
import { type Proof, PROOFS } from '../format/manifest.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';
import { isGood } from './catalogue-entry.ts';

/** What the choice needs to know about a backup. */
export interface DrillCandidate {
  entry: Pick<CatalogueEntry, 'backup' | 'takenAt' | 'state' | 'proof'>;
  /** What its last drill saw; absent if it has never been drilled. */
  verified?: { verifiedAt: string };
}

/**
 * `latest`: the newest good backup. `oldest-proof`: the good backup whose last drill is the longest ago. Undefined: the
 * choice that suits a schedule.
 */
export type DrillWish = 'latest' | 'oldest-proof' | undefined;

/** A backup with this proof or a stronger one counts as proven. */
const PROVEN: Proof = 'restored';

/**
 * Chooses one of the good backups (complete or degraded); they may come in any order. For `oldest-proof`, backups that
 * have never been drilled come first, the oldest of them before the others. Without a wish, the newest backup is chosen
 * until it is proven, then the one with the oldest proof. A schedule thus keeps the backup that a restore would use
 * proven, and still gets to the old ones.
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
