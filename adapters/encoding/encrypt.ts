/** Encryption in the age format (age-encryption.org/v1); `age -d` reads it. */
import { readFile } from 'node:fs/promises';
import { Decrypter, Encrypter } from 'age-encryption';
import { messageOf, SalvorError } from '../../domain/errors.ts';

const MAGIC = Buffer.from('age-encryption.org/v1\n');

/** Encrypts a stream to every recipient (`age1…`); the identity of any one of them reads it. */
export async function* encrypt(
  source: AsyncIterable<Uint8Array>,
  recipients: string[],
): AsyncGenerator<Uint8Array, void> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) addRecipient(encrypter, recipient);
  yield* await encrypter.encrypt(ReadableStream.from(source));
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (error) {
    throw new SalvorError(
      'InvalidConfiguration',
      `${recipient} is not an age recipient (${messageOf(error)}); \`age-keygen -y\` prints the one of an identity`,
      { cause: error },
    );
  }
}

/**
 * Decrypts a stream. Each chunk of 64 KiB is authenticated before it is given out, and a cut-off stream ends with an error.
 * @param where named in messages: store and key
 * @throws SalvorError `DecryptionFailed` when none of the identities fits; `BackupCorrupt` for anything but a whole age file
 */
export async function* decrypt(
  source: AsyncIterable<Uint8Array>,
  identities: string[],
  where: string,
): AsyncGenerator<Uint8Array, void> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  // The library would look for the end of the first line in the whole of a stream that isn't age's.
  const file = ReadableStream.from(requireMagic(source, where));
  let content: ReadableStream<Uint8Array>;
  try {
    content = await decrypter.decrypt(file);
  } catch (error) {
    if (error instanceof SalvorError || !messageOf(error).startsWith('no identity matched')) throw error;
    throw new SalvorError(
      'DecryptionFailed',
      `none of the ${identities.length} configured identities decrypts ${where}; add the identity of one of its recipients (the manifest names them) to the cluster's "encryption.identities"`,
      { cause: error },
    );
  }
  yield* content;
}

async function* requireMagic(source: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<Uint8Array, void> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of source) {
    if (!start) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < MAGIC.length) continue;
    if (!start.subarray(0, MAGIC.length).equals(MAGIC)) break;
    yield start;
    start = undefined;
  }
  if (start) throw new SalvorError('BackupCorrupt', `${where} does not begin as an age file does`);
}

/**
 * The private keys in identity files as `age-keygen` writes them: one a line, comments and empty lines between them.
 * @throws SalvorError `InvalidConfiguration`, naming the file and line, never the key
 */
export async function readIdentities(files: { file: string }[]): Promise<string[]> {
  const identities: string[] = [];
  for (const { file } of files) {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw new SalvorError('InvalidConfiguration', `the identity file ${file} can't be read: ${messageOf(error)}`, {
        cause: error,
      });
    });
    for (const [index, line] of text.split('\n').entries()) {
      const identity = line.trim();
      if (identity === '' || identity.startsWith('#')) continue;
      if (!isIdentity(identity)) {
        throw new SalvorError(
          'InvalidConfiguration',
          `line ${index + 1} of the identity file ${file} is not an age identity; expected AGE-SECRET-KEY-1…`,
        );
      }
      identities.push(identity);
    }
  }
  return identities;
}

function isIdentity(text: string): boolean {
  try {
    new Decrypter().addIdentity(text);
    return true;
  } catch {
    return false;
  }
}
