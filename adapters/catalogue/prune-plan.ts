/** What pruning a store would keep and remove, and why: a dry run shows this plan, a run carries it out. */
import type { Catalogue } from '../../domain/backups/found-backup.ts';
import type { Retention } from '../../domain/configuration/stores.ts';
import { type BackupId, parseKey } from '../../domain/format/keys.ts';
import { decideRetention, type RetentionDecision } from '../../domain/retention/decide.ts';
import type { LocatedObject } from '../../domain/backups/found-backup.ts';
import { inParallel } from '../stores/in-parallel.ts';
import { isGood } from '../../domain/backups/catalogue-entry.ts';
import { whyTooMany } from '../../domain/retention/many.ts';
import { type BackupInStore, seenBy } from '../../domain/retention/retained.ts';
import type { Store } from '../stores/store.ts';

/** An object that belongs to no backup may be part of a backup in progress, but not once it is this old. */
export const ORPHAN_AGE_MS = 86_400_000;
const LOOKS_AT_ONCE = 8;

/** One backup of a store: its name, and the node that distinguishes it from another in the same second. */
export interface NamedBackup {
  backup: BackupId;
  nodeAddress: string;
}

export interface StorePlan {
  /** Both newest first. */
  kept: { backup: BackupId; reason: string }[];
  removed: (NamedBackup & { reason: string })[];
  /** Objects that belong to no backup and are old enough. */
  orphans: { key: string; bytes: number }[];
  /** Why nothing is removed from this store at the moment; absent when there is no such reason. */
  hold?: string;
  /** How many of each are not in these lists. */
  more?: { kept: number; removed: number; orphans: number };
}

export interface PruneOptions {
  now: Date;
  /** Whether the rules apply to snapshots without a manifest. */
  includeForeign: boolean;
  /** Why nothing may be removed at the moment. */
  hold?: string;
  /** What the operation that prunes has just made. */
  spare?: BackupId;
  /** Whether it may remove more good backups than it keeps. */
  removeMany?: boolean;
  /** Whether the plan is only shown: it tells what would go, also where a hold keeps it. */
  dryRun?: boolean;
}

/**
 * Decides for one store, by its retention.
 * @param catalogue of all the cluster's stores: what this store must not lose depends on the others
 */
export async function planPrune(
  catalogue: Catalogue,
  store: Store,
  retention: Retention,
  options: PruneOptions,
  signal: AbortSignal,
): Promise<StorePlan> {
  const { hold } = options;
  const { plan, good } = await planFor(catalogue, store, retention, options, signal);
  if (hold !== undefined) return { ...plan, hold };
  const tooMany = options.removeMany ? undefined : whyTooMany(store.name, good.removed, good.kept);
  if (tooMany === undefined) return plan;
  if (options.dryRun) return { ...plan, hold: tooMany };
  const held = await planFor(catalogue, store, retention, { ...options, hold: tooMany }, signal);
  return { ...held.plan, hold: tooMany };
}

async function planFor(
  catalogue: Catalogue,
  store: Store,
  retention: Retention,
  options: PruneOptions,
  signal: AbortSignal,
): Promise<{ plan: StorePlan; good: { removed: number; kept: number } }> {
  const backups = catalogue.entries.flatMap((found) => seenBy(store.name, found) ?? []);
  const decision = await decideWithLocks(backups, store, retention, options, signal);
  const plan: StorePlan = { kept: [], removed: [], orphans: orphansOf(catalogue, store.name, options) };
  const good = { removed: 0, kept: 0 };
  const removed = new Map(decision.removed.map((verdict) => [verdict.backup, verdict.reason]));
  const kept = new Map(decision.kept.map((verdict) => [verdict.backup, verdict.reason]));
  // The catalogue's order: newest first.
  for (const backup of backups) {
    const reason = removed.get(backup);
    const objection = reason === undefined ? kept.get(backup) : objectionTo(backup, store.name, catalogue, options);
    const named = { backup: backup.backup, nodeAddress: backup.nodeAddress };
    if (objection !== undefined) plan.kept.push({ backup: backup.backup, reason: objection });
    else plan.removed.push({ ...named, reason: reason ?? '' });
    if (isGood(backup)) good[objection === undefined ? 'removed' : 'kept'] += 1;
  }
  return { plan, good };
}

function objectionTo(
  backup: BackupInStore,
  store: string,
  catalogue: Catalogue,
  { spare }: PruneOptions,
): string | undefined {
  if (backup.backup === spare) return 'just taken by this operation';
  return neededElsewhere(backup, store, catalogue);
}

/**
 * Each candidate for removal is looked at first: the store's own locks count in the decision, so that they cause no
 * surprise later.
 */
async function decideWithLocks(
  backups: BackupInStore[],
  store: Store,
  retention: Retention,
  options: PruneOptions,
  signal: AbortSignal,
): Promise<RetentionDecision<BackupInStore>> {
  const seen = new Set<BackupInStore>();
  for (;;) {
    const decision = decideRetention(backups, retention, options);
    const unseen = decision.removed.map(({ backup }) => backup).filter((backup) => !seen.has(backup));
    if (unseen.length === 0) return decision;
    await inParallel(unseen, LOOKS_AT_ONCE, async (backup) => {
      seen.add(backup);
      for (const { key } of backup.objects) {
        if ((await store.head(key, signal))?.locked) backup.locked = true;
      }
    });
  }
}

/** Why a backup that the rules release is kept all the same: no other store may lose by its removal. */
function neededElsewhere({ found, objects }: BackupInStore, store: string, catalogue: Catalogue): string | undefined {
  const { manifest, missing } = found;
  const unread = catalogue.unreadable.find(
    ({ store: name }) =>
      name !== store && (manifest?.intendedStores.some((intended) => intended.store === name) ?? true),
  );
  if (unread) return `store "${unread.store}" can't be read, and the pin or proof may be only there`;
  const keys = new Set(objects.map(({ key }) => key));
  const lacking = missing.find((copy) => copy.store !== store && keys.has(copy.key));
  return lacking && `kept until store "${lacking.store}" has its copy as well; heal that store`;
}

function orphansOf(catalogue: Catalogue, store: string, { now, includeForeign, hold }: PruneOptions) {
  // The manifest that they belong to may be in a store that can't be read.
  if (hold !== undefined || catalogue.unreadable.length > 0) return [];
  return catalogue.orphans
    .filter((object) => object.store === store && now.getTime() - object.modifiedAt.getTime() > ORPHAN_AGE_MS)
    .filter((object) => includeForeign || !looksForeign(object))
    .map(({ key, bytes }) => ({ key, bytes }));
}

/** An older script could have taken such a snapshot. */
export function looksForeign({ key, kind }: LocatedObject): boolean {
  const own = parseKey(key);
  return own === undefined || (kind === 'snapshot' && own.compression === 'none' && !own.encrypted);
}

/**
 * As much of a plan as fits into a report: the newest that are kept, the oldest that are removed. The next prune will
 * decide the same about the rest and remove it.
 * @param characters of JSON
 */
export function shortened({ kept, removed, orphans, hold }: StorePlan, characters: number): StorePlan {
  const first = {
    removed: fitting(removed.toReversed(), 0.5 * characters).toReversed(),
    orphans: fitting(orphans, 0.1 * characters),
    kept: fitting(kept, 0.4 * characters),
  };
  const more = {
    kept: kept.length - first.kept.length,
    removed: removed.length - first.removed.length,
    orphans: orphans.length - first.orphans.length,
  };
  return {
    ...first,
    ...(hold !== undefined && { hold }),
    ...(Object.values(more).some((count) => count > 0) && { more }),
  };
}

function fitting<T>(entries: T[], characters: number): T[] {
  let left = characters;
  const end = entries.findIndex((entry) => (left -= JSON.stringify(entry).length) < 0);
  return end === -1 ? entries : entries.slice(0, end);
}
