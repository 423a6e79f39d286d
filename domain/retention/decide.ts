/**
 * Which backups of a store are kept and which are removed, and why. A dry run and a run ask this one function.
 *
 * What holds whatever the rules say:
 * - The newest good backup, the `atLeast` newest good ones, the last proven one and the best proven one, pinned and
 *   locked ones stay.
 * - Only good backups (complete or degraded) count. What isn't good never takes the place of a good one: it is looked
 *   at on a timeline of its own kind together with the good ones, and stays at least until there is a newer good
 *   backup. A broken backup may be rescued yet.
 * - Backups of one cluster belong together, whichever node each was taken from.
 */
import type { Retention } from '../configuration/stores.ts';
import { SalvorError } from '../errors.ts';
import { type Proof, PROOFS } from '../format/manifest.ts';
import type { BackupId } from '../format/keys.ts';
import { type CatalogueEntry, isGood as isGoodBackup } from '../backups/catalogue-entry.ts';
import { isInFuture } from '../clocks.ts';
import { hasKeepRule, keptByRules } from './rules.ts';

/** What the decision needs to know of a backup in a store. */
export interface RetentionCandidate {
  backup: BackupId;
  /** Of the node it was taken from. */
  nodeAddress: string;
  /** ISO 8601, UTC. */
  takenAt: string;
  /**
   * As this store sees it: a backup of which it lacks an artifact that it was to hold is `broken` here, wherever else
   * it is complete.
   */
  state: CatalogueEntry['state'];
  proof: Proof | null;
  pinned: boolean;
  /** The store itself refuses to remove it. */
  locked?: boolean;
  /** Of all its artifacts in this store. */
  bytes: number;
}

export interface RetentionOptions {
  now: Date;
  /** Whether the rules apply to foreign backups; otherwise these are kept, and not counted against `maxBytes`. */
  includeForeign: boolean;
  /** Why nothing may be removed at the moment, such as members that disagree. */
  hold?: string;
}

/** One backup and, for people, why it is kept or removed. */
export interface RetentionVerdict<T> {
  backup: T;
  reason: string;
}

/** Both lists are newest first, and together they hold every backup once. */
export interface RetentionDecision<T> {
  kept: RetentionVerdict<T>[];
  removed: RetentionVerdict<T>[];
}

interface Entry<T> {
  backup: T;
  timeMs: number;
}

/**
 * Decides for the backups that one store has of one cluster, in any order.
 *
 * A backup dated in the future is kept, and counts for no rule: by `keepLast` it would take the place of a real one.
 *
 * Counting more of what a keep rule keeps, or one more keep rule beside others, never removes more, as long as there is
 * no `maxBytes`: with it, a newer backup that is kept may push out an older one.
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

/** Newest first; the order of the input plays no part, not even for backups of the same second. */
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

/** What neither the rules nor `maxBytes` can remove. */
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

  // Weaker reasons first: a stronger one takes their place.
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

/** What the rules keep, before `maxBytes`. */
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

/** The oldest that have to go so that the rest fits into `maxBytes`, or as much of it as may be removed. */
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
