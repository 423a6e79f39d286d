/** Opens all stores of a cluster. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { Store } from './store.ts';
import { openStore } from './types.ts';

/** Opens every store of a cluster, in the configuration's order. */
export async function openStores(cluster: Cluster): Promise<Store[]> {
  const opened = await Promise.allSettled(cluster.stores.map(async (store) => await openStore(store)));
  const stores = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = opened.find((result) => result.status === 'rejected');
  if (!failed) return stores;
  for (const store of stores) store.close();
  throw failed.reason;
}
