import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { decode, type DecodeOptions } from '../../../adapters/encoding/decode.ts';
import { encode } from '../../../adapters/encoding/encode.ts';
import { decrypt, encrypt } from '../../../adapters/encoding/encrypt.ts';
import { readIdentities } from '../../../adapters/encoding/identities.ts';
import { untilAborted } from '../../../adapters/encoding/streams.ts';
import { SalvorError } from '../../../domain/errors.ts';

const CONTENT = Buffer.concat([randomBytes(300_000), Buffer.alloc(400_000, 'the same again '), randomBytes(7)]);

let folder = '';
let identityFile = '';
let otherIdentityFile = '';
let recipient = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'salvor-encoding-'));
  const identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  identityFile = join(folder, 'identity.txt');
  await writeFile(identityFile, `# created: today\n# public key: ${recipient}\n\n${identity}\n`);
  otherIdentityFile = join(folder, 'other.txt');
  await writeFile(otherIdentityFile, await generateX25519Identity());
});
after(() => rm(folder, { recursive: true }));

async function* inChunks(bytes: Buffer, size = 70_000): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function digestOf(bytes: Buffer) {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

async function encoded(compression: DecodeOptions['compression'], encrypted: boolean, content = CONTENT) {
  const result = encode(inChunks(content), { compression, ...(encrypted && { recipients: [recipient] }) });
  const stored = await collect(result.body);
  return { stored, digests: result.digests() };
}

function decoded(stored: Buffer, options: Partial<DecodeOptions>, size?: number): Promise<Buffer> {
  const all: DecodeOptions = {
    compression: 'none',
    encrypted: false,
    identities: [{ file: identityFile }],
    where: 'a/b/snapshot in store "test"',
    ...options,
  };
  return collect(decode(inChunks(stored, size), all));
}

function isFailure(type: string, message: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof SalvorError, String(error));
    assert.equal(error.type, type);
    assert.match(error.message, message);
    return true;
  };
}

for (const compression of ['none', 'zstd', 'gzip'] as const) {
  for (const encrypted of [false, true]) {
    describe(`${compression}, ${encrypted ? 'encrypted' : 'plain'}`, () => {
      test('what was encoded decodes to the same bytes, and both digests are right', async () => {
        const { stored, digests } = await encoded(compression, encrypted);
        assert.deepEqual(digests, { content: digestOf(CONTENT), stored: digestOf(stored) });
        const back = await decoded(stored, { compression, encrypted, expected: digests });
        assert.ok(back.equals(CONTENT));
      });

      test('the chunks of the source do not matter, down to single bytes, nor does an empty content', async () => {
        const { stored } = await encoded(compression, encrypted, Buffer.from('little'));
        assert.equal((await decoded(stored, { compression, encrypted }, 1)).toString(), 'little');
        const empty = await encoded(compression, encrypted, Buffer.alloc(0));
        assert.equal((await decoded(empty.stored, { compression, encrypted, expected: empty.digests })).length, 0);
      });

      for (const [damage, inflict] of [
        ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 9)],
        ['longer than it was', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('more')])],
        ['changed in one bit', flipped],
      ] as const) {
        test(`a stored object that is ${damage} never ends without an error`, async () => {
          const { stored, digests } = await encoded(compression, encrypted);
          await assert.rejects(
            decoded(inflict(stored), { compression, encrypted, expected: digests }),
            isFailure('BackupCorrupt', /a\/b\/snapshot in store "test"/),
          );
        });
      }
    });
  }
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  return copy;
}

test('an encrypted object that is cut off is found even without a manifest', async () => {
  const { stored } = await encoded('none', true);
  await assert.rejects(
    decoded(stored.subarray(0, 65_536 * 3), { encrypted: true }),
    isFailure('BackupCorrupt', /decoded/),
  );
});

test('another identity than the recipient’s is told apart from a damaged object', async () => {
  const { stored } = await encoded('zstd', true);
  await assert.rejects(
    decoded(stored, { compression: 'zstd', encrypted: true, identities: [{ file: otherIdentityFile }] }),
    isFailure('DecryptionFailed', /none of the 1 configured identities/),
  );
  const identities = [{ file: otherIdentityFile }, { file: identityFile }];
  assert.ok((await decoded(stored, { compression: 'zstd', encrypted: true, identities })).equals(CONTENT));
});

test('a large object that is not an age file is refused at its beginning', async () => {
  await assert.rejects(
    decoded(Buffer.alloc(1000), { encrypted: true }),
    isFailure('BackupCorrupt', /does not begin like an age file/),
  );
  await assert.rejects(
    decoded(Buffer.from('age'), { encrypted: true }),
    isFailure('BackupCorrupt', /does not begin like an age file/),
  );
});

test('a missing identity file and a wrong line are named, and the line’s text is not', async () => {
  await assert.rejects(
    readIdentities([{ file: join(folder, 'none') }]),
    isFailure('InvalidConfiguration', /none can't be read/),
  );
  const wrong = join(folder, 'wrong.txt');
  await writeFile(wrong, '# comment\nAGE-SECRET-KEY-1WRONG\n');
  await assert.rejects(readIdentities([{ file: wrong }]), (error: unknown) => {
    assert.ok(isFailure('InvalidConfiguration', /line 2 of the identity file/)(error));
    return !String(error).includes('WRONG');
  });
});

test('an error of the source comes out as it went in, on both ways', async () => {
  const broken = new SalvorError('SnapshotInterrupted', 'the member went away');
  async function* source(bytes: Buffer): AsyncGenerator<Uint8Array, void> {
    yield bytes;
    throw broken;
  }
  const { body, digests } = encode(source(CONTENT), { compression: 'zstd', recipients: [recipient] });
  await assert.rejects(collect(body), (error) => error === broken);
  assert.throws(digests, /read to its end/);
  const { stored } = await encoded('zstd', true);
  const options: DecodeOptions = {
    compression: 'zstd',
    encrypted: true,
    identities: [{ file: identityFile }],
    where: 'x',
  };
  await assert.rejects(collect(decode(source(stored.subarray(0, 100_000)), options)), (error) => error === broken);
});

test(
  'a reader that leaves early closes the source, and the source is never read far ahead',
  { timeout: 30_000 },
  async () => {
    let given = 0;
    const closed = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<Uint8Array, void> {
      try {
        for (;;) {
          given += 65_536;
          yield randomBytes(65_536);
        }
      } finally {
        closed.resolve();
      }
    }
    const { body } = encode(endless(), { compression: 'zstd', recipients: [recipient] });
    let taken = 0;
    for await (const chunk of body) {
      taken += chunk.length;
      assert.ok(given - taken < 8 * 1024 * 1024, `${given - taken} bytes were read ahead`);
      if (taken > 20_000_000) break;
    }
    await closed.promise;
  },
);

test('an abort ends a silent source at once with the signal’s reason', async () => {
  const controller = new AbortController();
  async function* silent(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.from('first');
    await new Promise(() => undefined);
  }
  const reason = new Error('the operation was cancelled');
  const reading = collect(untilAborted(silent(), controller.signal));
  setImmediate(() => controller.abort(reason));
  await assert.rejects(reading, (error) => error === reason);
});

for (const bytes of [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]) {
  test(`${bytes} bytes are the same age file to the age library, in both directions`, async () => {
    const content = CONTENT.subarray(0, bytes);
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const identities = await readIdentities([{ file: identityFile }]);
    const theirs = Buffer.from(await encrypter.encrypt(content));
    assert.ok((await collect(decrypt(inChunks(theirs), identities, 'theirs'))).equals(content));
    const decrypter = new Decrypter();
    for (const identity of identities) decrypter.addIdentity(identity);
    const ours = await collect(encrypt(inChunks(content), [recipient]));
    assert.ok(Buffer.from(await decrypter.decrypt(ours)).equals(content));
    assert.equal(ours.length, theirs.length);
  });
}

test('chunks of an age file that change places, or are missing at a boundary, are found', async () => {
  const stored = await collect(encrypt(inChunks(CONTENT), [recipient]));
  const [chunk, start] = [65_552, stored.length - CONTENT.length - 11 * 16];
  const [first, second] = [stored.subarray(start, start + chunk), stored.subarray(start + chunk, start + 2 * chunk)];
  const header = stored.subarray(0, start);
  const rest = stored.subarray(start + 2 * chunk);
  for (const changed of [
    Buffer.concat([header, second, first, rest]),
    Buffer.concat([header, second, rest]),
    Buffer.concat([header, first, second]),
    header,
  ]) {
    await assert.rejects(decoded(changed, { encrypted: true }), isFailure('BackupCorrupt', /age payload/));
  }
  assert.ok((await decoded(Buffer.concat([header, first, second, rest]), { encrypted: true })).equals(CONTENT));
});
