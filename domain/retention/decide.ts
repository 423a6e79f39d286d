/**
 * Decides which backups of a store are kept and which are removed, and why. Dry runs and real runs both use it.
 *
 * Whatever the rules say:
 * - Always kept: the newest good backup, the `atLeast` newest good ones, the last proven one, the best proven one, and
 *   all that are pinned or locked.
 * - Only good backups (complete or degraded) count. A backup that isn't good never takes the place of a good one: the
 *   foreign ones and the broken ones are each judged on a timeline that also contains the good ones, and each stays at
 *   least until there is a newer good backup. A broken backup may still be rescued.
 * - All backups of a cluster are judged together, whichever node each was taken from.
 */
import type { Retention } from '../configuration/stores.ts';
import { SalvorError } from '../errors.ts';
import { type Proof, PROOFS } from '../format/manifest.ts';
import type { BackupId } from '../format/keys.ts';
import { type CatalogueEntry, isGood as isGoodBackup } from '../backups/catalogue-entry.ts';
import { isInFuture } from '../clocks.ts';
import { hasKeepRule, keptByRules } from './rules.ts';

/** What the decision needs to know about a backup in a store. */
export interface RetentionCandidate {
  backup: BackupId;
  /** The address of the node that it was taken from. */
  nodeAddress: string;
  /** ISO 8601, UTC. */
  takenAt: string;
  /**
   * As this store sees it: if the store lacks an artifact that it should hold, the backup is `broken` here, even if it
   * is complete in another store.
   */
  state: CatalogueEntry['state'];
  proof: Proof | null;
  pinned: boolean;
  /** The store itself refuses to remove it. */
  locked?: boolean;
  /** The size of everything that this store has of it. */
  bytes: number;
}

export interface RetentionOptions {
  now: Date;
  /** Whether the rules apply to foreign backups. If not, these are kept and don't count towards `maxBytes`. */
  includeForeign: boolean;
  /** Why nothing may be removed at the moment, such as members that disagree. */
  hold?: string;
}

/** One backup, and the reason (for people) why it is kept or removed. */
export interface RetentionVerdict<T> {
  backup: T;
  reason: string;
}

/** Both lists are sorted newest first. Together they contain every backup once. */
export interface RetentionDecision<T> {
  kept: RetentionVerdict<T>[];
  removed: RetentionVerdict<T>[];
}

interface Entry<T> {
  backup: T;
  timeMs: number;
}

/**
 * Decides about the backups that one store has of one cluster, given in any order.
 *
 * A backup dated in the future is kept, and counts for no rule: by `keepLast` it would take the place of a real one.
 *
 * Without `maxBytes`, raising a keep rule's number or adding another keep rule never removes more backups. With
 * `maxBytes` it may: an additional newer backup that is kept can push out an older one.
 * @throws SalvorError `InvalidInput` for a `takenAt` that isn't a time
 */
export function decideRetention<T extends RetentionCandidate>(
  backups: readonly T[],
  rules: Retention,
  options: RetentionOptions,
): RetentionDecision<T> {
  const everything = newestFirst(backups);
  if (options.hold !== undefined) return keepAll(everything, options.hold);
  if (!hasKeepRule(rules) && rules.maxBytes === undefined) return keepAll(everything, 'no rule: everything is kept');
  // By whichever clock is wrong: it stays, and takes no other's place.
  const future = everything.filter(({ backup }) => isInFuture(backup.takenAt, options.now));
  const timeline = everything.filter((entry) => !future.includes(entry));

  const fixed = keptAlways(timeline, rules, options.includeForeign);
  const ruled = keptForNow(timeline, rules, options);
  const over = overBudget(timeline, fixed, ruled, rules, options.includeForeign);
  const oldestRuledMs = timeline.findLast((entry) => ruled.has(entry))?.timeMs ?? Infinity;

  const decision = keepAll(future, 'dated in the future: kept, and counts for no rule');
  for (const entry of timeline) {
    const { backup } = entry;
    const reason = fixed.get(entry) ?? (over.has(entry) ? undefined : ruled.get(entry));
    if (reason !== undefined) decision.kept.push({ backup, reason });
    else if (over.has(entry)) decision.removed.push({ backup, reason: 'over maxBytes' });
    else if (entry.timeMs < oldestRuledMs) decision.removed.push({ backup, reason: 'older than every rule keeps' });
    else decision.removed.push({ backup, reason: 'no rule keeps it' });
  }
  return decision;
}

/** Sorted newest first. The order of the input doesn't matter, even for backups of the same second. */
function newestFirst<T extends RetentionCandidate>(backups: readonly T[]): Entry<T>[] {
  const timeline = backups.map((backup) => {
    const timeMs = Date.parse(backup.takenAt);
    if (!Number.isNaN(timeMs)) return { backup, timeMs };
    throw new SalvorError(
      'InvalidInput',
      `backup ${backup.backup} of ${backup.nodeAddress} was taken at "${backup.takenAt}", expected a time such as 2026-11-23T06:00:00Z`,
    );
  });
  return timeline.sort(
    (a, b) =>
      b.timeMs - a.timeMs ||
      compare(b.backup.backup, a.backup.backup) ||
      compare(a.backup.nodeAddress, b.backup.nodeAddress),
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function keepAll<T>(timeline: Entry<T>[], reason: string): RetentionDecision<T> {
  return { kept: timeline.map(({ backup }) => ({ backup, reason })), removed: [] };
}

function isGood({ backup }: Entry<RetentionCandidate>): boolean {
  return isGoodBackup(backup);
}

/** The backups that neither the rules nor `maxBytes` can remove. */
function keptAlways<T extends RetentionCandidate>(
  timeline: Entry<T>[],
  rules: Retention,
  includeForeign: boolean,
): Map<Entry<T>, string> {
  const kept = new Map<Entry<T>, string>();
  const good = timeline.filter(isGood);
  const newest = good[0];
  const proven = newestWithProof(good, PROOFS.indexOf('restored'));
  const bestProof = good.reduce((best, entry) => Math.max(best, proofLevel(entry)), 0);
  const bestProven = newestWithProof(good, bestProof);

  // Weaker reasons come first; a stronger one replaces them.
  for (const entry of good.slice(0, rules.atLeast ?? 0)) kept.set(entry, `kept by atLeast ${rules.atLeast}`);
  if (bestProven) kept.set(bestProven, `best proven backup: ${bestProven.backup.proof}`);
  if (proven) kept.set(proven, `last proven backup: ${proven.backup.proof}`);
  if (newest) kept.set(newest, 'newest good backup');
  for (const entry of timeline) {
    const { state, pinned, locked } = entry.backup;
    if (!isGood(entry) && (newest === undefined || entry.timeMs >= newest.timeMs)) {
      kept.set(entry, `${state}: kept until there is a newer good backup`);
    }
    if (state === 'foreign' && !includeForeign) kept.set(entry, 'foreign: pruned only when asked');
    if (locked) kept.set(entry, 'locked by the store');
    if (pinned) kept.set(entry, 'pinned');
  }
  return kept;
}

function proofLevel({ backup }: Entry<RetentionCandidate>): number {
  return backup.proof === null ? -1 : PROOFS.indexOf(backup.proof);
}

function newestWithProof<T extends RetentionCandidate>(good: Entry<T>[], level: number): Entry<T> | undefined {
  return good.find((entry) => proofLevel(entry) >= level);
}

/** The backups that the rules keep, before `maxBytes` is applied. */
function keptForNow<T extends RetentionCandidate>(
  timeline: Entry<T>[],
  rules: Retention,
  { now }: RetentionOptions,
): Map<Entry<T>, string> {
  if (!hasKeepRule(rules)) return new Map(timeline.map((entry) => [entry, 'within maxBytes']));
  const kept = keptByRules(timeline.filter(isGood), rules, now);
  for (const state of ['foreign', 'broken'] as const) {
    const together = timeline.filter((entry) => isGood(entry) || entry.backup.state === state);
    for (const [entry, reason] of keptByRules(together, rules, now)) {
      if (!isGood(entry)) kept.set(entry, `${state}, ${reason}`);
    }
  }
  return kept;
}

/** The oldest backups that have to go until the rest fits into `maxBytes`, or until no more may be removed. */
function overBudget<T extends RetentionCandidate>(
  timeline: Entry<T>[],
  fixed: Map<Entry<T>, string>,
  ruled: Map<Entry<T>, string>,
  rules: Retention,
  includeForeign: boolean,
): Set<Entry<T>> {
  const over = new Set<Entry<T>>();
  if (rules.maxBytes === undefined) return over;
  const kept = timeline.filter((entry) => fixed.has(entry) || ruled.has(entry));
  const counted = kept.filter((entry) => includeForeign || entry.backup.state !== 'foreign');
  let bytes = counted.reduce((sum, entry) => sum + entry.backup.bytes, 0);
  for (const entry of counted.toReversed()) {
    if (bytes <= rules.maxBytes) break;
    if (fixed.has(entry)) continue;
    over.add(entry);
    bytes -= entry.backup.bytes;
  }
  return over;
}
