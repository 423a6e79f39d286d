/**
 * Encryption in the age format (age-encryption.org/v1); `age -d` reads it. The library handles the keys and the header,
 * `age-payload.ts` the payload.
 */
import { randomBytes } from 'node:crypto';
import { Decrypter, Encrypter } from 'age-encryption';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { openPayload, PAYLOAD_NONCE_BYTES, payloadKey, sealPayload } from './age-payload.ts';

const MAGIC = Buffer.from('age-encryption.org/v1\n');
/** Enough for hundreds of recipients. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** What the library produces for an empty payload: the nonce and one tag. */
const EMPTY_PAYLOAD_BYTES = PAYLOAD_NONCE_BYTES + 16;

/** Encrypts a stream to every recipient (`age1…`); the identity of any of them can decrypt it. */
export async function* encrypt(
  source: AsyncIterable<Uint8Array>,
  recipients: string[],
): AsyncGenerator<Uint8Array, void> {
  const { header, fileKey } = await makeHeader(recipients);
  const nonce = randomBytes(PAYLOAD_NONCE_BYTES);
  yield Buffer.concat([header, nonce]);
  yield* sealPayload(source, payloadKey(fileKey, nonce));
}

async function makeHeader(recipients: string[]): Promise<{ header: Uint8Array; fileKey: Uint8Array }> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) addRecipient(encrypter, recipient);
  let fileKey: Uint8Array | undefined;
  // The library passes the new key to each recipient: this one adds nothing to the header and keeps the key.
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const file = await encrypter.encrypt(new Uint8Array(0));
  if (!fileKey) throw new Error('the age library made no file key');
  return { header: file.subarray(0, file.length - EMPTY_PAYLOAD_BYTES), fileKey };
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (error) {
    throw new SalvorError(
      'InvalidConfiguration',
      `${recipient} is not an age recipient (${messageOf(error)}); \`age-keygen -y\` prints the recipient of an identity`,
      { cause: error },
    );
  }
}

/**
 * Decrypts a stream. Each chunk of 64 KiB is authenticated before it is returned, and a truncated stream ends with an
 * error.
 * @param where named in messages: store and key
 * @throws SalvorError `DecryptionFailed` when none of the identities fits; `BackupCorrupt` for a stream that does not
 * begin like an age file; a plain Error for one that was changed or truncated
 */
export async function* decrypt(
  source: AsyncIterable<Uint8Array>,
  identities: string[],
  where: string,
): AsyncGenerator<Uint8Array, void> {
  const iterator = source[Symbol.asyncIterator]();
  async function* from(start: Uint8Array): AsyncGenerator<Uint8Array, void> {
    yield start;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  try {
    const { header, nonce, rest } = await readHeader(iterator, where);
    const fileKey = await unwrap(header, identities, where);
    yield* openPayload(from(rest), payloadKey(fileKey, nonce));
  } finally {
    await iterator.return?.();
  }
}

async function readHeader(
  iterator: AsyncIterator<Uint8Array>,
  where: string,
): Promise<{ header: Buffer; nonce: Buffer; rest: Buffer }> {
  let start = Buffer.alloc(0);
  for (;;) {
    if (!start.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, start.length))) break;
    const lastLine = start.indexOf('\n--- ');
    const end = lastLine < 0 ? -1 : start.indexOf('\n', lastLine + 1) + 1;
    if (end > 0 && start.length >= end + PAYLOAD_NONCE_BYTES) {
      const payload = end + PAYLOAD_NONCE_BYTES;
      return { header: start.subarray(0, end), nonce: start.subarray(end, payload), rest: start.subarray(payload) };
    }
    const next = start.length > MAX_HEADER_BYTES ? undefined : await iterator.next();
    if (next === undefined || next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  throw new SalvorError('BackupCorrupt', `${where} does not begin like an age file`);
}

async function unwrap(header: Uint8Array, identities: string[], where: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    if (!messageOf(error).startsWith('no identity matched')) throw error;
    throw new SalvorError(
      'DecryptionFailed',
      `none of the ${identities.length} configured identities decrypts ${where}; add the identity of one of its recipients (the manifest names them) to the cluster's "encryption.identities"`,
      { cause: error },
    );
  }
}
