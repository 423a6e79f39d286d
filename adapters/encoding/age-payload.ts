/**
 * The payload of an age file (age-encryption.org/v1, "Payload"): chunks of 64 KiB, each sealed by ChaCha20-Poly1305
 * under a nonce that counts the chunks and marks the last one. The age library does the same in JavaScript; OpenSSL
 * takes a quarter of the time, all of it on the main thread.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const CIPHER = 'chacha20-poly1305';

/** The bytes between the header and the first chunk, from which the payload's key is derived. */
export const PAYLOAD_NONCE_BYTES = 16;

/** The key of the payload. */
export function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
}

export async function* sealPayload(
  source: AsyncIterable<Uint8Array>,
  key: Uint8Array,
): AsyncGenerator<Uint8Array, void> {
  let index = 0;
  for await (const { bytes, last } of inChunks(source, CHUNK_BYTES)) {
    const cipher = createCipheriv(CIPHER, key, nonceOf(index, last), { authTagLength: TAG_BYTES });
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    index += 1;
  }
}

/** Returns only authentic data; a truncated payload ends with an error. */
export async function* openPayload(
  source: AsyncIterable<Uint8Array>,
  key: Uint8Array,
): AsyncGenerator<Uint8Array, void> {
  let index = 0;
  for await (const { bytes, last } of inChunks(source, CHUNK_BYTES + TAG_BYTES)) {
    const end = bytes.length - TAG_BYTES;
    if (end < 0) throw new Error('the age payload is truncated');
    if (end === 0 && index > 0) throw new Error('the age payload ends in an empty chunk');
    const decipher = createDecipheriv(CIPHER, key, nonceOf(index, last), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(end));
    const content = decipher.update(bytes.subarray(0, end));
    try {
      decipher.final();
    } catch (error) {
      throw new Error(`chunk ${index} of the age payload was changed or truncated`, { cause: error });
    }
    yield content;
    index += 1;
  }
}

/** An eleven-byte big-endian counter, and one byte that is 1 for the last chunk. */
function nonceOf(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce.writeUInt8(last ? 1 : 0, 11);
  return nonce;
}

/** Regroups a stream into chunks of one size. Only the last chunk may be shorter; it is empty only if the stream is. */
async function* inChunks(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ bytes: Buffer; last: boolean }> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const piece of source) {
    let rest = piece;
    // A full chunk is held back until more data comes: it may be the last.
    while (heldBytes + rest.length > size) {
      const taken = size - heldBytes;
      yield { bytes: Buffer.concat([...held, rest.subarray(0, taken)]), last: false };
      rest = rest.subarray(taken);
      held = [];
      heldBytes = 0;
    }
    held.push(rest);
    heldBytes += rest.length;
  }
  yield { bytes: Buffer.concat(held), last: true };
}
