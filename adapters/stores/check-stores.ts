/** Which stores can take a backup. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { giveId, rememberStores, requireSameStore } from './identity.ts';
import { requireRoom } from './room.ts';
import type { Store } from './store.ts';

export interface StoreChecks {
  good: string[];
  /** `noRoom`: the snapshot will not be sent there at all. */
  failing: { store: string; error: string; noRoom: boolean }[];
}

/**
 * Checks that every store can be reached, takes a small object and has room.
 * @param roomBytes what each store that holds snapshots needs; undefined when nothing will be written now
 * @throws SalvorError of the first store that should hold the snapshot, when no such store is left
 */
export async function checkStores(
  cluster: Cluster,
  stores: Store[],
  roomBytes: number | undefined,
  signal: AbortSignal,
): Promise<StoreChecks> {
  const checks = await Promise.all(
    stores.map(async (store) => await checkStore(cluster, store, stores, roomBytes, signal)),
  );
  const working = checks.flatMap(({ store, id }) => (id === undefined ? [] : [{ store, id }]));
  await rememberStores(cluster.name, working, signal);
  const takers = checks.filter(({ store }) => store.holds('snapshot'));
  const [first] = takers;
  if (first?.error !== undefined && takers.every(({ error }) => error !== undefined)) throw first.error;
  return {
    good: checks.flatMap(({ store, error }) => (error === undefined ? [store.name] : [])),
    failing: checks.flatMap(({ store, error }) => {
      if (error === undefined) return [];
      const noRoom = error.type === 'NoSpace' && store.holds('snapshot');
      return [{ store: store.name, error: error.message, noRoom }];
    }),
  };
}

async function checkStore(
  cluster: Cluster,
  store: Store,
  stores: Store[],
  roomBytes: number | undefined,
  signal: AbortSignal,
): Promise<{ store: Store; id?: string; error?: SalvorError }> {
  try {
    const known = await requireSameStore(cluster.name, store, stores, signal);
    await store.check(signal);
    const named = cluster.stores.find(({ name }) => name === store.name);
    if (roomBytes !== undefined && named && store.holds('snapshot')) await requireRoom(named, roomBytes);
    return { store, id: known ?? (await giveId(store, signal)) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SalvorError) return { store, error };
    return { store, error: new SalvorError('StoreUnavailable', messageOf(error), { cause: error }) };
  }
}
