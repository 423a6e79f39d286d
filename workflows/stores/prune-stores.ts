/** The steps that prune. `prune` consists of them, and a backup ends with them when no schedule prunes its cluster. */
import type { StorePlan } from '../../activities/prune.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { hashGroups, type MemberInspection } from '../../domain/members/members.ts';
import type { BackupId } from '../../domain/format/keys.ts';
import type { PruneInput, PruneReport } from '../../domain/operations/prune.ts';
import { look, tidy } from '../kit/activities.ts';
import { failure, reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';
import type { Runbook } from '../kit/runbook.ts';

type PrunedStore = PruneReport['stores'][number];

/** Temporal refuses payloads above 2 MiB. */
const REPORT_CHARACTERS = 1_000_000;

/**
 * Prunes all stores of the cluster, or the requested one. A store that fails is named in the report, and the others are
 * still pruned.
 * @param taken what the operation has just taken: it is never what is pruned
 */
export async function pruneStores(
  cluster: Cluster,
  { store, dryRun = false, includeForeign = false, removeMany = false }: Omit<PruneInput, 'cluster'>,
  runbook: Runbook,
  taken?: BackupId,
): Promise<PruneReport> {
  const stores = storesToPrune(cluster, store);
  const characters = Math.floor(REPORT_CHARACTERS / stores.length);

  const hold = await runbook.step(
    'Check that the members agree',
    null,
    async () => whyHold(await look.inspectMembers({ cluster })),
    (reason) => reason ?? 'none differs',
  );

  const spare = taken === undefined ? {} : { spare: taken };
  const order = { includeForeign, removeMany, dryRun, hold, characters, ...spare };
  // Every store is decided on before anything is removed: what one store loses must not change what another keeps.
  const decisions: { name: string; plan: StorePlan | PrunedStore }[] = [];
  for (const name of stores) {
    const decide = async () => await tidy.planPrune({ cluster, store: name, ...order });
    const plan = await orFailed(name, runbook.step(`Decide what ${name} keeps`, null, decide, asDecision));
    decisions.push({ name, plan });
  }

  const pruned: PrunedStore[] = [];
  for (const { name, plan } of decisions) {
    if ('store' in plan) pruned.push(plan);
    else if (dryRun || plan.hold !== undefined || hold !== null) pruned.push(asReport(name, plan));
    else {
      const act = async () => await pruneStore(cluster, name, plan);
      pruned.push(await orFailed(name, runbook.step(`Prune ${name}`, null, act, asEvidence)));
    }
  }
  const anyHold = hold ?? pruned.find((each) => each.hold !== undefined)?.hold ?? null;
  return { cluster: cluster.name, dryRun, hold: anyHold, stores: pruned };
}

async function pruneStore(cluster: Cluster, store: string, plan: StorePlan): Promise<PrunedStore> {
  const backups = plan.removed.map(({ backup, nodeAddress }) => ({ backup, nodeAddress }));
  const { kept } = backups.length > 0 ? await tidy.removeBackups({ cluster, store, backups }) : { kept: [] };
  const { gone } = await tidy.sweepStore({ cluster, store, keys: plan.orphans.map(({ key }) => key) });
  const report = asReport(store, plan);
  return {
    ...report,
    kept: [...kept, ...report.kept],
    removed: report.removed.filter(({ backup }) => !kept.some((stayed) => stayed.backup === backup)),
    orphans: report.orphans.filter(({ key }) => gone.includes(key)),
  };
}

/** Members that disagree may all be wrong: a person must first decide which backup is good. */
function whyHold(members: MemberInspection[]): string | null {
  const groups = hashGroups(members);
  if (groups.length < 2) return null;
  const sides = groups.map((group) => group.join('+')).join(' against ');
  return `the members hold different keys at the same revision, ${sides}: nothing is removed until that is resolved`;
}

function storesToPrune(cluster: Cluster, only: string | undefined): string[] {
  const names = cluster.stores.map(({ name }) => name);
  if (only === undefined) return names;
  if (names.includes(only)) return [only];
  throw failure('UnknownStore', `${cluster.name} has no store named "${only}"; it has: ${names.join(', ')}`);
}

async function orFailed<T>(store: string, act: Promise<T>): Promise<T | PrunedStore> {
  try {
    return await act;
  } catch (error) {
    rethrowUnlessActivity(error);
    // The next listing shows what was already removed; the next prune removes the rest.
    return { store, kept: [], removed: [], orphans: [], error: reasonOf(error) };
  }
}

function asReport(store: string, { kept, removed, orphans, more, hold }: StorePlan): PrunedStore {
  return {
    store,
    kept,
    removed: removed.map(({ backup, reason }) => ({ backup, reason })),
    orphans,
    ...(more && { more }),
    ...(hold !== undefined && { hold }),
  };
}

function asDecision({ kept, removed, orphans, more, hold }: StorePlan): string {
  const later =
    more && more.removed + more.orphans > 0
      ? `; the next prune continues with ${more.removed} and ${more.orphans} more`
      : '';
  return `${kept.length + (more?.kept ?? 0)} to keep, ${removed.length} to remove, ${orphans.length} objects that belong to no backup${later}${hold === undefined ? '' : `; ${hold}`}`;
}

function asEvidence({ removed, orphans }: PrunedStore): string {
  return `${removed.length} backups removed, ${orphans.length} objects that belonged to no backup`;
}
