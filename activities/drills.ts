/** Verifies backups: chooses one, drills it, and keeps the result. */
import { chooseBackup, readCatalogue } from '../adapters/catalogue/catalogue.ts';
import { drillBackup, type DrillOrder, type DrillOutcome } from '../adapters/drill/drill-backup.ts';
import { keepResult } from '../adapters/drill/keep-result.ts';
import type { FoundBackup } from '../domain/backups/found-backup.ts';
import { chooseForDrill } from '../domain/backups/choose-drill.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { withoutHashCheck } from '../domain/format/snapshot-source.ts';
import type { Verified } from '../domain/format/verified.ts';
import { attended } from './attend.ts';
import { withActivityScratch } from './trials.ts';
import { requireStore, withStores } from './with-stores.ts';
import { withoutUndefined } from '../domain/without-undefined.ts';

export type { DrillOrder, DrillOutcome };

export interface DrillChoice {
  order: DrillOrder;
  /** Why this backup was chosen. */
  why: string;
  /** The readable stores that have any of its objects. */
  holders: string[];
}

function holdersOf({ objects }: FoundBackup): string[] {
  const own = objects.filter(({ kind }) => kind !== 'verified' && kind !== 'pinned');
  return [...new Set(own.map(({ store }) => store))];
}

export function createDrillActivities() {
  return {
    /**
     * Chooses the backup to drill: by its name, or by `latest` or `oldest-proof`. Without any of these it is the one
     * that a schedule would take.
     */
    chooseDrill: attended(
      async (
        {
          cluster,
          backup,
          store,
          skipHashCheck,
        }: { cluster: Cluster; backup?: string; store?: string; skipHashCheck?: boolean },
        { signal },
      ): Promise<DrillChoice> => {
        if (store !== undefined) requireStore(cluster, store);
        return await withStores(cluster, undefined, async (stores) => {
          const catalogue = await readCatalogue(cluster, stores, signal);
          const entries = catalogue.entries.filter((found) => store === undefined || holdersOf(found).includes(store));
          const isWish = backup === undefined || backup === 'latest' || backup === 'oldest-proof';
          const choice = isWish ? chooseForDrill(entries, backup) : undefined;
          const chosen = choice?.chosen ?? chooseBackup({ ...catalogue, entries }, isWish ? 'latest' : backup);
          const { entry, nodeAddress, source } = chosen;
          const asked = source && skipHashCheck ? withoutHashCheck(source) : source;
          const foreign = entry.state === 'foreign' && asked !== undefined ? { foreign: asked } : {};
          return {
            order: { backup: entry.backup, nodeAddress, ...foreign },
            why: choice?.why ?? 'asked for by name',
            holders: holdersOf(chosen),
          };
        });
      },
    ),

    /**
     * Reads every copy and restores the snapshot into a scratch etcd on the worker. It changes nothing outside the
     * scratch folder.
     */
    drillBackup: attended(
      async (
        { cluster, store, order }: { cluster: Cluster; store?: string; order: DrillOrder },
        { signal },
      ): Promise<DrillOutcome> => {
        return await withStores(cluster, store, async (stores) => {
          return await withActivityScratch(async (scratch) => {
            return await drillBackup(cluster, stores, order, { scratch, now: () => new Date(), signal });
          });
        });
      },
    ),

    /**
     * Writes the result next to the backup in every store that has it, replacing an earlier result. Stores that fail
     * are named; the activity fails only when every store does.
     * @param only the store that was drilled, when it was only one
     */
    keepDrillResult: attended(
      async (
        {
          cluster,
          holders,
          verified,
          only,
        }: { cluster: Cluster; holders: string[]; verified: Verified; only?: string },
        { signal },
      ): Promise<{ stores: string[]; failing: { store: string; error: string }[] }> => {
        return await withStores(cluster, undefined, async (stores) => {
          return await keepResult(stores, verified, withoutUndefined({ holders, only, signal }));
        });
      },
    ),
  };
}
