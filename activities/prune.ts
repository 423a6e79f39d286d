/** Prunes and pins: decides what a store keeps, removes the rest, and exempts pinned backups. */
import { activityInfo } from '@temporalio/activity';
import { readCatalogue } from '../adapters/catalogue/catalogue.ts';
import { setPin } from '../adapters/catalogue/pins.ts';
import {
  type NamedBackup,
  ORPHAN_AGE_MS,
  planPrune,
  shortened,
  type StorePlan,
} from '../adapters/catalogue/prune-plan.ts';
import { removeBackups, removeOrphans } from '../adapters/catalogue/prune.ts';
import type { Store } from '../adapters/stores/store.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SalvorError } from '../domain/errors.ts';
import type { BackupId } from '../domain/format/keys.ts';
import { type OtherClock, whyClocksDisagree } from '../domain/clocks.ts';
import { attended } from './attend.ts';
import { withStores } from './with-stores.ts';

export type { StorePlan };

interface InStore {
  cluster: Cluster;
  store: string;
}

interface PlanOrder extends InStore {
  includeForeign: boolean;
  hold: string | null;
  characters: number;
  dryRun: boolean;
  removeMany: boolean;
  /** What the operation has just taken. */
  spare?: BackupId;
}

export function createPruneActivities() {
  return {
    /**
     * Plans what pruning one store would keep and remove, shortened to fit. It removes nothing.
     * @param characters the greatest length of the plan as JSON
     */
    planPrune: attended(
      async ({ cluster, store, hold, characters, ...order }: PlanOrder, { signal, attempt }): Promise<StorePlan> => {
        return await withStores(cluster, undefined, async (stores) => {
          const clocks = await otherClocks(storeNamed(stores, store), signal);
          const now = new Date();
          const catalogue = await readCatalogue(cluster, stores, signal, now);
          const unread = catalogue.unreadable.find((each) => each.store === store);
          if (unread) throw new SalvorError('StoreUnavailable', unread.error);
          const retention = cluster.stores.find(({ name }) => name === store)?.retention ?? {};
          const held = hold ?? whyClocksDisagree(now, clocks);
          // An order that waited for a busy worker is old as well: of the next attempt, the time of the order is fresh.
          if (hold === null && held !== undefined && attempt === 1) throw new Error(held);
          const options = { now, ...order, ...(held !== undefined && { hold: held }) };
          const plan = await planPrune(catalogue, storeNamed(stores, store), retention, options, signal);
          return shortened(plan, characters);
        });
      },
    ),

    /** Removes backups from one store and returns those that must stay after all. */
    removeBackups: attended(async ({ cluster, store, backups }: InStore & { backups: NamedBackup[] }, { signal }) => {
      return await withStores(cluster, undefined, async (stores) => {
        const catalogue = await readCatalogue(cluster, stores, signal);
        const readable = stores.filter(({ name }) => catalogue.unreadable.every((each) => each.store !== name));
        const kept = await removeBackups(catalogue, storeNamed(stores, store), readable, backups, signal);
        return { kept };
      });
    }),

    /** Removes objects that belong to no backup, and half-written ones that killed processes left. */
    sweepStore: attended(async ({ cluster, store, keys }: InStore & { keys: string[] }, { signal }) => {
      return await withStores(cluster, store, async (stores) => {
        const swept = storeNamed(stores, store);
        const gone = await removeOrphans(swept, keys, signal);
        const parts = await swept.sweepParts(`${cluster.name}/`, ORPHAN_AGE_MS, signal);
        return { gone, parts };
      });
    }),

    /** Pins or unpins a backup in every store that has it. */
    setPin: attended(
      async ({ cluster, backup, pinned }: { cluster: Cluster; backup: string; pinned: boolean }, { signal }) => {
        return await withStores(cluster, undefined, async (stores) => {
          const catalogue = await readCatalogue(cluster, stores, signal);
          return await setPin(catalogue, stores, { backup, pinned, now: new Date() }, signal);
        });
      },
    ),
  };
}

/** Temporal's, as it gave the order, and the store's. */
async function otherClocks(store: Store, signal: AbortSignal): Promise<OtherClock[]> {
  const ordered = { of: 'Temporal', at: new Date(activityInfo().currentAttemptScheduledTimestampMs) };
  const at = await store.now(signal);
  return [ordered, ...(at === undefined ? [] : [{ of: `store "${store.name}"`, at }])];
}

function storeNamed(stores: Store[], name: string): Store {
  const found = stores.find((store) => store.name === name);
  if (found) return found;
  throw new SalvorError('UnknownStore', `there is no store named "${name}"`);
}
