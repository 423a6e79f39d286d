/** From an artifact's content to the stored object. */
import type { Digest } from '../../domain/format/manifest.ts';
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
  /** Can be read once. Closing it closes the source. */
  body: AsyncIterable<Uint8Array>;
  /** Known once the body has ended by itself. */
  digests: () => Digests;
}

export interface EncodeOptions {
  compression: StreamCompression;
  recipients?: string[];
  /** For a source that computes its own digest, known at its end: it isn't computed twice. */
  contentDigest?: () => Digest | undefined;
}

/** Compresses and then encrypts a stream in one pass and in bounded memory. */
export function encode(
  source: AsyncIterable<Uint8Array>,
  { compression, recipients, contentDigest }: EncodeOptions,
): Encoded {
  const content = new Digester();
  const isSame = compression === 'none' && !recipients;
  const stored = new Digester();
  const compressed = compress(contentDigest ? source : content.through(source), compression);
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
      const ofSource = contentDigest ? contentDigest() : content.digest();
      if (!ofSource) throw new Error('the source ended without a digest');
      const { bytes, sha256 } = ofSource;
      return { content: { bytes, sha256 }, stored: isSame ? { bytes, sha256 } : stored.digest() };
    },
  };
}
