/** What `Store.get` returns: a stream that ends successfully only after every byte has come. */
import { addAbortSignal, pipeline, type Readable, Transform } from 'node:stream';
import { SalvorError } from '../../domain/errors.ts';
import { abortReason } from '../encoding/streams.ts';

const READ_AHEAD_BYTES = 4 * 1024 * 1024;

interface Expectation {
  bytes: number;
  /** Store and key, for messages. */
  where: string;
  /** Turns an error of the source into a SalvorError. */
  toError: (error: unknown) => Error;
  signal: AbortSignal;
}

/** Passes an object's bytes on, and ends with an error if their number differs from what the store reported. */
export function wholeBody(source: Readable, { bytes, where, toError, signal }: Expectation): Readable {
  let seen = 0;
  const checked = new Transform({
    highWaterMark: READ_AHEAD_BYTES,
    transform(chunk: Uint8Array, _encoding, done) {
      seen += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      done(seen === bytes ? null : cutShort(seen));
    },
    // Whatever ends it, the reader sees an error of the closed list or the signal's reason.
    destroy(error, done) {
      if (!error) return done(null);
      if (signal.aborted) return done(abortReason(signal));
      done(error instanceof SalvorError ? error : toError(error));
    },
  });
  function cutShort(seen: number): SalvorError {
    return new SalvorError('StoreUnavailable', `${where} ended after ${seen} bytes; expected ${bytes}`);
  }
  pipeline(source, checked, () => undefined);
  return addAbortSignal(signal, checked);
}
