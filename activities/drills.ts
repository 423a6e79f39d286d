/** Verifying backups: choosing one, drilling it, keeping what was seen. */
import { chooseBackup, readCatalogue } from '../adapters/catalogue/catalogue.ts';
import { drillBackup, type DrillOrder, type DrillOutcome } from '../adapters/drill/drill-backup.ts';
import type { FoundBackup } from '../domain/backups/found-backup.ts';
import type { Store } from '../adapters/stores/store.ts';
import { chooseForDrill } from '../domain/backups/choose-drill.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SalvorError } from '../domain/errors.ts';
import { verifiedKey } from '../domain/format/keys.ts';
import { withoutHashCheck } from '../domain/format/snapshot-source.ts';
import { formatVerified, parseVerified, type Verified, withEarlierFailures } from '../domain/format/verified.ts';
import { attended } from './attend.ts';
import { withActivityScratch } from './trials.ts';
import { requireStore, withStores } from './with-stores.ts';

export type { DrillOrder, DrillOutcome };

export interface DrillChoice {
  order: DrillOrder;
  /** Why this one. */
  why: string;
  /** The stores that have something of it, as far as they could be read. */
  holders: string[];
}

function holdersOf({ objects }: FoundBackup): string[] {
  const own = objects.filter(({ kind }) => kind !== 'verified' && kind !== 'pinned');
  return [...new Set(own.map(({ store }) => store))];
}

export function createDrillActivities() {
  return {
    /** The backup to drill: by its name, by `latest` or `oldest-proof`, or without a wish the one that a schedule takes. */
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

    /** Reads every copy and restores the snapshot into a scratch etcd on the worker. It changes nothing anywhere. */
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
     * Puts the result beside the backup in every store that has it, over an earlier one. A store that fails is named, and fails it only when
     * none is left.
     * @param only the one store that was looked into, if it was one
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
        const key = verifiedKey(verified.cluster, verified.node.address, verified.backup);
        return await withStores(cluster, undefined, async (stores) => {
          const earlier = only === undefined ? undefined : await lastResult(stores, key, signal);
          const others = cluster.stores.map(({ name }) => name).filter((name) => name !== only);
          const text = Buffer.from(formatVerified(withEarlierFailures(verified, earlier, others)));
          const kept: string[] = [];
          const failing: { store: string; error: SalvorError }[] = [];
          for (const store of stores.filter(({ name }) => holders.includes(name))) {
            try {
              await store.replace(key, text, signal);
              kept.push(store.name);
            } catch (error) {
              if (!(error instanceof SalvorError)) throw error;
              failing.push({ store: store.name, error });
            }
          }
          const [first] = failing;
          if (kept.length === 0 && first !== undefined) throw first.error;
          return { stores: kept, failing: failing.map(({ store, error }) => ({ store, error: error.message })) };
        });
      },
    ),
  };
}
/** The latest result that is kept in any store; what can't be read doesn't count. */
async function lastResult(stores: Store[], key: string, signal: AbortSignal): Promise<Verified | undefined> {
  let last: Verified | undefined;
  for (const store of stores) {
    try {
      const text = await store.read(key, signal);
      const read = text && parseVerified(Buffer.from(text).toString(), key);
      if (read && (!last || read.verifiedAt > last.verifiedAt)) last = read;
    } catch (error) {
      if (!(error instanceof SalvorError)) throw error;
    }
  }
  return last;
}
