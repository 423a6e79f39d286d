/** From a stored object to an artifact's content. */
import { messageOf, SalvorError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/format/manifest.ts';
import { decompress, type StreamCompression } from './compress.ts';
import type { Digests } from './encode.ts';
import { decrypt } from './encrypt.ts';
import { readIdentities } from './identities.ts';
import { Digester, watchFailure } from './streams.ts';

export interface DecodeOptions {
  compression: StreamCompression;
  encrypted: boolean;
  /** Files with age identities; read only for encrypted objects. */
  identities: { file: string }[];
  /** Named in messages: store and key. */
  where: string;
  /** What the manifest says; without a manifest only the formats' own checks apply. */
  expected?: Digests;
}

/**
 * Decrypts and decompresses a stream in bounded memory. It ends without an error only after every byte has come and, if
 * `expected` is given, both digests match; until then the bytes read prove nothing.
 * @throws SalvorError `BackupCorrupt`, `DecryptionFailed` or `InvalidConfiguration`; an error of the source is passed
 * on unchanged
 */
export async function* decode(
  source: AsyncIterable<Uint8Array>,
  { compression, encrypted, identities, where, expected }: DecodeOptions,
): AsyncGenerator<Uint8Array, void> {
  const stored = new Digester();
  const content = new Digester();
  const watched = watchFailure(source);
  try {
    const bytes = stored.through(watched.stream);
    const compressed = encrypted ? decrypt(bytes, await readIdentities(identities), where) : bytes;
    yield* content.through(decompress(compressed, compression));
  } catch (error) {
    watched.rethrow();
    if (error instanceof SalvorError) throw error;
    throw new SalvorError('BackupCorrupt', `${where} can't be decoded: ${messageOf(error)}`, { cause: error });
  }
  if (!expected) return;
  compare('the stored object', stored.digest(), expected.stored, where);
  compare('its content', content.digest(), expected.content, where);
}

function compare(what: string, seen: Digest, expected: Digest, where: string): void {
  if (seen.bytes === expected.bytes && seen.sha256 === expected.sha256) return;
  throw new SalvorError(
    'BackupCorrupt',
    `${where}: ${what} has ${seen.bytes} bytes and SHA-256 ${seen.sha256}; the manifest says ${expected.bytes} bytes and ${expected.sha256}`,
  );
}
