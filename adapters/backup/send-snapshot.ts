/** Sends a snapshot to the stores, and finishes this after a worker has died. */
import { messageOf, SalvorError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/format/manifest.ts';
import type { SnapshotTaken } from '../../domain/format/snapshot-source.ts';
import { copyArtifact, readBack } from '../stores/copy.ts';
import { putToAll } from '../stores/fan-out.ts';
import type { Store } from '../stores/store.ts';
import { takeBack } from '../stores/take-back.ts';
import type { SnapshotAttempt, WholeSnapshot } from './attempt.ts';

export interface SendOptions {
  signal: AbortSignal;
  /** Called with all that the next attempt needs to continue, as soon as one store has the whole snapshot. */
  remember: (attempt: SnapshotAttempt) => void;
}

/**
 * Sends a snapshot to every store. Afterwards either the snapshot has passed its checks and at least one store has all
 * of it, or nothing of it is left. A whole copy is read back at once, while the other stores are still being written;
 * if this fails, a later step tries again.
 * @param stored the digest of the body, known once the body has ended
 * @param learn finds out what the snapshot is; called when the body has ended, while the slower stores still take its
 * last bytes
 * @throws what the body threw, what `learn` threw, and what the first store threw when none took it
 */
export async function sendSnapshot(
  stores: Store[],
  key: string,
  body: AsyncIterable<Uint8Array>,
  stored: () => Digest,
  learn: () => Promise<WholeSnapshot>,
  { signal, remember }: SendOptions,
): Promise<SnapshotTaken> {
  const complete: string[] = [];
  const readings = new Map<string, Promise<boolean>>();
  const learnt: { whole?: WholeSnapshot; learning?: Promise<WholeSnapshot> } = {};
  function tell(): void {
    const { whole } = learnt;
    if (whole && complete.length > 0) remember({ key, whole, complete: [...complete] });
  }
  async function* thenLearn(): AsyncGenerator<Uint8Array, void> {
    yield* body;
    learnt.learning = learn().then((whole) => {
      learnt.whole = whole;
      tell();
      return whole;
    });
    // It is awaited below, once the stores have finished.
    learnt.learning.catch(() => undefined);
  }
  const puts = await putToAll(stores, key, thenLearn(), {
    signal,
    onComplete(store) {
      complete.push(store.name);
      tell();
      const reading = readBack(store, key, stored(), signal);
      readings.set(
        store.name,
        reading.then(
          () => true,
          () => false,
        ),
      );
    },
  });
  try {
    const { learning } = learnt;
    if (complete.length === 0 || !learning) {
      throw puts[0]?.error ?? new SalvorError('StoreUnavailable', `no store took ${key}`);
    }
    const whole = await learning;
    const copies = await Promise.all(
      puts.map(async ({ store, state, error }) => {
        const isReadBack = (await readings.get(store)) ?? false;
        return { store, state, ...(error && { error: error.message }), ...(isReadBack && { readBack: true as const }) };
      }),
    );
    return { ...whole, copies };
  } catch (error) {
    await Promise.all(readings.values());
    await takeBack(
      stores.filter(({ name }) => complete.includes(name)),
      key,
    );
    throw error;
  }
}

/**
 * Continues with the snapshot of a killed attempt: the stores that lack it get it from one that has it, and etcd is not
 * asked again.
 * @returns undefined when no store has it whole; then nothing of it is left
 */
export async function finishSnapshot(
  attempt: SnapshotAttempt,
  stores: Store[],
  { signal, remember }: SendOptions,
): Promise<SnapshotTaken | undefined> {
  const { key, whole } = attempt;
  const complete = whole ? await holdersOf(whole, attempt.complete ?? [], stores, signal) : [];
  const from = stores.find(({ name }) => name === complete[0]);
  if (!whole || !from) {
    await takeBack(stores, key);
    return undefined;
  }
  const copies = await Promise.all(
    stores.map(async (to): Promise<SnapshotTaken['copies'][number]> => {
      const store = to.name;
      if (complete.includes(store)) return { store, state: 'complete' };
      try {
        // The leftovers of an attempt that can't be continued are in the way.
        if (!to.resume) await to.sweepParts(key, -Infinity, signal);
        await copyArtifact(from, to, key, whole.stored, signal);
      } catch (error) {
        signal.throwIfAborted();
        return { store, state: 'failed', error: messageOf(error) };
      }
      complete.push(store);
      remember({ key, whole, complete: [...complete] });
      return { store, state: 'complete' };
    }),
  );
  return { ...whole, copies };
}

async function holdersOf(
  { key, stored }: WholeSnapshot,
  names: string[],
  stores: Store[],
  signal: AbortSignal,
): Promise<string[]> {
  const holders: string[] = [];
  for (const store of stores.filter(({ name }) => names.includes(name))) {
    const object = await store.head(key, signal).catch(() => undefined);
    if (object?.bytes === stored.bytes) holders.push(store.name);
  }
  signal.throwIfAborted();
  return holders;
}
