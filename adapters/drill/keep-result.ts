/** A drill's result, stored with the backup. */
import { SalvorError } from '../../domain/errors.ts';
import { verifiedKey } from '../../domain/format/keys.ts';
import { formatVerified, parseVerified, type Verified, withEarlierFailures } from '../../domain/format/verified.ts';
import { inEachStore, reasonsOf, requireAny } from '../stores/each.ts';
import type { Store } from '../stores/store.ts';

/**
 * Writes the result to every store that has the backup, replacing an earlier one.
 * @param options.holders the names of those stores
 * @param options.only the store that was checked, if it was only one: what an earlier drill found wrong in the others
 * is kept
 * @throws SalvorError of the first store, when none has taken the result
 */
export async function keepResult(
  stores: Store[],
  verified: Verified,
  { holders, only, signal }: { holders: string[]; only?: string; signal: AbortSignal },
): Promise<{ stores: string[]; failing: { store: string; error: string }[] }> {
  const key = verifiedKey(verified.cluster, verified.node.address, verified.backup);
  const earlier = only === undefined ? undefined : await lastResult(stores, key, signal);
  const others = stores.map(({ name }) => name).filter((name) => name !== only);
  const text = Buffer.from(formatVerified(withEarlierFailures(verified, earlier, others)));
  const tried = await inEachStore(
    stores.filter(({ name }) => holders.includes(name)),
    signal,
    async (store) => await store.replace(key, text, signal),
  );
  requireAny(tried);
  return { stores: tried.done, failing: reasonsOf(tried) };
}

/** The latest result in any store; unreadable results don't count. */
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
