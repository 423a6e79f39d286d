/** What every stream of bytes here needs: an end on abort, and a digest of the bytes that passed. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Digest } from '../../domain/format/manifest.ts';

/** Counts and hashes the bytes that pass through it. */
export class Digester {
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #digest: Digest | undefined;

  /** The number of bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** The size and hash of everything; nothing may be added afterwards. */
  digest(): Digest {
    this.#digest ??= { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
    return this.#digest;
  }

  async *through(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of source) {
      this.update(chunk);
      yield chunk;
    }
  }
}

/**
 * Regroups a stream into pieces of one size; the last one may be shorter. Each piece costs the later stages the same,
 * whether small or large.
 */
export async function* inBatches(
  source: AsyncIterable<Uint8Array>,
  batchBytes: number,
): AsyncGenerator<Uint8Array, void> {
  let batch = Buffer.allocUnsafeSlow(batchBytes);
  let filled = 0;
  for await (const chunk of source) {
    for (let taken = 0; taken < chunk.length;) {
      const piece = chunk.subarray(taken, taken + batchBytes - filled);
      batch.set(piece, filled);
      taken += piece.length;
      filled += piece.length;
      if (filled < batchBytes) continue;
      yield batch;
      batch = Buffer.allocUnsafeSlow(batchBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield batch.subarray(0, filled);
}

/** The reason of an aborted signal, as an error. */
export function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(`aborted: ${String(signal.reason)}`);
}

/**
 * Passes a source on until it ends or the signal is aborted. On abort it throws the signal's reason at once, even while
 * the source is silent, and closes the source.
 */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await nextOrAbort(iterator, signal);
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (!ended) closeSource(source, iterator);
  }
}

// Each call gets its own listener: a race against one long-lived promise would keep a reaction for every chunk.
function nextOrAbort<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T>> {
  if (signal.aborted) return Promise.reject(abortReason(signal));
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortReason(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}

// Not awaited: a generator that waits for its own source returns only when that source produces something.
function closeSource<T>(source: AsyncIterable<T>, iterator: AsyncIterator<T>): void {
  if (source instanceof Readable) source.destroy();
  iterator.return?.().catch(() => undefined);
}

/**
 * A source that remembers its error: behind a chain of streams that error looks like any other. `rethrow` throws it, or
 * does nothing if the source did not fail.
 */
export function watchFailure<T>(source: AsyncIterable<T>): { stream: AsyncGenerator<T, void>; rethrow: () => void } {
  let failure: { cause: unknown } | undefined;
  async function* stream(): AsyncGenerator<T, void> {
    try {
      yield* source;
    } catch (error) {
      failure = { cause: error };
      throw error;
    }
  }
  function rethrow(): void {
    if (failure) throw failure.cause;
  }
  return { stream: stream(), rethrow };
}
