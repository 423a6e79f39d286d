/** Heals backups: finds what stores lack and copies it from stores that have it. */
import { chooseBackup, readCatalogue } from '../adapters/catalogue/catalogue.ts';
import { healCopy, type Healed } from '../adapters/catalogue/heal.ts';
import { type FoundBackup, isNote } from '../domain/backups/found-backup.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SalvorError } from '../domain/errors.ts';
import type { NamedBackup } from '../adapters/catalogue/prune-plan.ts';
import { attended } from './attend.ts';
import { withStores } from './with-stores.ts';

/** One operation heals at most this many copies, newest first, to keep its history small. The next one continues. */
const MOST = 500;

/** One store's copy of one backup that isn't whole. */
export interface LackingCopy extends NamedBackup {
  store: string;
  keys: string[];
}

export function createHealActivities() {
  return {
    /**
     * Finds the copies that stores lack and could get now, newest first. For a backup given by name, it also lists
     * every copy that exists.
     */
    findLackingCopies: attended(
      async ({ cluster, backup }: { cluster: Cluster; backup: string | null }, { signal }) => {
        return await withStores(cluster, undefined, async (stores) => {
          const catalogue = await readCatalogue(cluster, stores, signal);
          const isNamed = backup !== null;
          const chosen = isNamed ? [chooseBackup(catalogue, backup)] : catalogue.entries;
          const copies = chosen.flatMap((found) =>
            stores.flatMap(({ name }) => lackingCopy(found, name, isNamed) ?? []),
          );
          const { unreadable } = catalogue;
          return { copies: copies.slice(0, MOST), more: Math.max(0, copies.length - MOST), unreadable };
        });
      },
    ),

    /** Makes one store's copy of a backup whole. */
    healCopy: attended(
      async ({ cluster, copy }: { cluster: Cluster; copy: LackingCopy }, { signal }): Promise<Healed[]> => {
        return await withStores(cluster, undefined, async (stores) => {
          const catalogue = await readCatalogue(cluster, stores, signal);
          const found = catalogue.entries.find(
            ({ entry, nodeAddress }) => entry.backup === copy.backup && nodeAddress === copy.nodeAddress,
          );
          const to = stores.find(({ name }) => name === copy.store);
          if (!found || !to)
            throw new SalvorError('UnknownBackup', `${copy.backup} is gone, or store "${copy.store}" is`);
          const unread = catalogue.unreadable.find(({ store }) => store === copy.store);
          if (unread) throw new SalvorError('StoreUnavailable', unread.error);
          const others = stores.filter((store) => store !== to);
          return await healCopy(found, to, others, signal);
        });
      },
    ),
  };
}

/** @param isNamed whether existing objects count as well: only reading every byte would show that one is damaged */
function lackingCopy(found: FoundBackup, store: string, isNamed: boolean): LackingCopy | undefined {
  const { entry, nodeAddress, manifest, missing, objects } = found;
  const lacked = missing.filter((copy) => copy.store === store).map(({ key }) => key);
  const there = manifest && isNamed ? objects.filter((object) => object.store === store && !isNote(object.kind)) : [];
  const keys = [...lacked, ...there.map(({ key }) => key)];
  return keys.length === 0 ? undefined : { backup: entry.backup, nodeAddress, store, keys };
}
