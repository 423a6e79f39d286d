/** One stream to several stores at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { untilAborted } from '../encoding/streams.ts';
import { type Branch, newBranch } from './branch.ts';
import type { Store } from './store.ts';

/** How far the fastest store may be ahead of the slowest. */
const BUFFER_BYTES = 8 * 1024 * 1024;
/** Longer than an S3 store needs to give up by itself; a file system that hangs would otherwise wait forever. */
const STALL_TIMEOUT_MS = 300_000;
const CLEAN_UP_TIMEOUT_MS = 30_000;

export interface FanOutOptions {
  signal: AbortSignal;
  /** Called with the bytes taken from the source so far. */
  onProgress?: (bytes: number) => void;
  /** Called with each store as soon as it has everything. */
  onComplete?: (store: Store) => void;
  /** A store that takes nothing for this long has failed. */
  stallTimeoutMs?: number;
}

export type PutResult =
  | { store: string; state: 'complete'; bytes: number; error?: undefined }
  | { store: string; state: 'failed'; error: SalvorError };

interface Put {
  store: Store;
  branch: Branch;
  outcome: Promise<PutResult>;
  /** Gives the store up. */
  drop: (error: SalvorError) => void;
}

/**
 * Writes a stream to every store under the same key. The slowest store sets the pace; a store that fails is dropped,
 * and neither fails nor stalls the others. When no store is left, the source is closed early.
 * @returns the outcome in each store, in the given order
 * @throws what the source threw, or the signal's reason: in both cases no store keeps any of it
 */
export async function putToAll(
  stores: Store[],
  key: string,
  body: AsyncIterable<Uint8Array>,
  { signal, onProgress, onComplete, stallTimeoutMs = STALL_TIMEOUT_MS }: FanOutOptions,
): Promise<PutResult[]> {
  const puts = stores.map((store) => startPut(store, key, signal, onComplete));
  let bytes = 0;
  try {
    for await (const chunk of untilAborted(body, signal)) {
      const taking = puts.filter(({ branch }) => !branch.closed);
      if (taking.length === 0) break;
      for (const { branch } of taking) branch.push(chunk);
      await Promise.all(taking.map((put) => roomOrDrop(put, key, stallTimeoutMs)));
      bytes += chunk.length;
      onProgress?.(bytes);
    }
    for (const { branch } of puts) branch.end();
    const results = await Promise.all(puts.map(({ outcome }) => outcome));
    signal.throwIfAborted();
    return results;
  } catch (error) {
    for (const { branch } of puts) branch.fail(error);
    await Promise.all(puts.map((put) => takeBack(put, key)));
    throw error;
  }
}

function startPut(store: Store, key: string, signal: AbortSignal, onComplete: FanOutOptions['onComplete']): Put {
  const branch = newBranch(BUFFER_BYTES);
  const { promise: dropped, reject: drop } = Promise.withResolvers<never>();
  const ownEnd = new AbortController();
  const put = store.put(key, branch.body, { signal: AbortSignal.any([signal, ownEnd.signal]) });
  const outcome = Promise.race([put, dropped])
    .then((digest): PutResult => {
      onComplete?.(store);
      return { store: store.name, state: 'complete', ...digest };
    })
    .catch((error: unknown): PutResult => {
      ownEnd.abort(error);
      return { store: store.name, state: 'failed', error: asFailure(error, store.name, key) };
    })
    .finally(() => branch.fail(new Error('its put has ended')));
  return { store, branch, outcome, drop };
}

function asFailure(error: unknown, store: string, key: string): SalvorError {
  if (error instanceof SalvorError) return error;
  return new SalvorError('StoreUnavailable', `store "${store}", ${key}: ${messageOf(error)}`, { cause: error });
}

async function roomOrDrop({ branch, drop, store }: Put, key: string, stallTimeoutMs: number): Promise<void> {
  if (branch.hasRoom) return;
  const settled = new AbortController();
  const stalled = delay(stallTimeoutMs, 'stalled' as const, { signal: settled.signal }).catch(() => undefined);
  const first = await Promise.race([branch.room(), stalled]);
  settled.abort();
  if (first !== 'stalled') return;
  const message = `store "${store.name}" took nothing of ${key} for ${stallTimeoutMs / 1000} s and was given up`;
  const error = new SalvorError('StoreUnavailable', message);
  branch.fail(error);
  drop(error);
}

/** The store may have finished before the failure; its copy is then worthless. */
async function takeBack({ store, outcome }: Put, key: string): Promise<void> {
  const { state } = await outcome;
  if (state !== 'complete') return;
  // A copy that can't be removed now is removed as an orphan later; the failure that led here matters more.
  await store.remove(key, AbortSignal.timeout(CLEAN_UP_TIMEOUT_MS)).catch(() => undefined);
}
