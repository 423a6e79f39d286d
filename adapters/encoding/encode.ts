/** From an artifact's content to what lies in the store. */
import type { Digest } from '../../domain/manifest.ts';
import { compress, type StreamCompression } from './compress.ts';
import { encrypt } from './encrypt.ts';
import { Digester } from './streams.ts';

export interface Digests {
  /** Before compression and encryption. */
  content: Digest;
  /** After them. */
  stored: Digest;
}

export interface Encoded {
  /** To be read once. Closing it closes the source. */
  body: AsyncIterable<Uint8Array>;
  /** Known when the body has ended by itself. */
  digests: () => Digests;
}

/** Compresses and then encrypts a stream in one pass and in bounded memory. */
export function encode(
  source: AsyncIterable<Uint8Array>,
  { compression, recipients }: { compression: StreamCompression; recipients?: string[] },
): Encoded {
  const content = new Digester();
  const isSame = compression === 'none' && !recipients;
  const stored = isSame ? content : new Digester();
  const compressed = compress(content.through(source), compression);
  const encoded = recipients ? encrypt(compressed, recipients) : compressed;
  let ended = false;
  async function* body(): AsyncGenerator<Uint8Array, void> {
    yield* isSame ? encoded : stored.through(encoded);
    ended = true;
  }
  return {
    body: body(),
    digests() {
      if (!ended) throw new Error('the digests are known only when the body has been read to its end');
      return { content: content.digest(), stored: stored.digest() };
    },
  };
}
