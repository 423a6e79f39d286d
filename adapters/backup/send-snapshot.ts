/** A snapshot on its way to the stores, and what is left to do of it after a worker died. */
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
  /** Told all that the next attempt needs to go on, as soon as one store has the whole snapshot. */
  remember: (attempt: SnapshotAttempt) => void;
}

/**
 * Sends a snapshot to every store. Either what is learnt of it is good and at least one store has it whole, or nothing
 * of it is left. What a store has whole is read back at once, beside that; where this fails, it is left to a later step
 * that tries again.
 * @param stored the digest of the body, known when it has ended
 * @param learn what the snapshot is; asked when the body has ended, while the slower stores still take its last bytes
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
    // It is awaited below, when the stores are done.
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
 * Goes on with the snapshot of a killed attempt: the stores that lack it get it from one that has it, and etcd is not
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
        // What can't be gone on with is in the way.
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
