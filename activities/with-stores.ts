/** Opens stores for one piece of work and closes them after it. */
import { openStores } from '../adapters/stores/open.ts';
import type { Store } from '../adapters/stores/store.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SalvorError } from '../domain/errors.ts';

/**
 * Opens the cluster's stores, or only one of them, for one piece of work.
 * @throws SalvorError `UnknownStore`, and anything that the work throws
 */
export async function withStores<T>(
  cluster: Cluster,
  only: string | undefined,
  work: (stores: Store[]) => Promise<T>,
): Promise<T> {
  if (only !== undefined) requireStore(cluster, only);
  const chosen = cluster.stores.filter((store) => only === undefined || store.name === only);
  const stores = await openStores({ ...cluster, stores: chosen });
  try {
    return await work(stores);
  } finally {
    for (const store of stores) store.close();
  }
}

/** @throws SalvorError `UnknownStore` when the cluster has no store of this name */
export function requireStore(cluster: Cluster, name: string): void {
  if (cluster.stores.some((store) => store.name === name)) return;
  const known = cluster.stores.map((store) => store.name).join(', ');
  throw new SalvorError('UnknownStore', `${cluster.name} has no store named "${name}"; it has: ${known}`);
}
