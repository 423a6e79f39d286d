import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { decode } from '../../adapters/encoding/decode.ts';
import { encode } from '../../adapters/encoding/encode.ts';

const run = promisify(execFile);

async function isMissing(command: string): Promise<boolean> {
  return run(command, ['--version']).then(
    () => false,
    () => true,
  );
}

const missing: string[] = [];
for (const tool of ['age', 'age-keygen', 'zstd']) if (await isMissing(tool)) missing.push(tool);
const skip = missing.length > 0 && `not installed: ${missing.join(', ')} (Debian packages age and zstd)`;

describe('Without Salvor, a stored artifact', { skip }, () => {
  let folder = '';
  let identity = '';
  let recipient = '';
  const plain = (): string => join(folder, 'plain.db');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'salvor-encoding-'));
    identity = join(folder, 'identity.txt');
    await run('age-keygen', ['-o', identity]);
    recipient = (await run('age-keygen', ['-y', identity])).stdout.trim();
    const block = randomBytes(500_000);
    await writeFile(
      plain(),
      Buffer.concat([block, Buffer.alloc(3_000_000, 'again and again'), block, randomBytes(77)]),
    );
  });
  after(() => rm(folder, { recursive: true }));

  test('is read by `age -d` and `zstd -d`', async () => {
    const stored = join(folder, 'snapshot.db.zst.age');
    const { body, digests } = encode(createReadStream(plain()), { compression: 'zstd', recipients: [recipient] });
    await pipeline(body, createWriteStream(stored));
    await run('age', ['-d', '-i', identity, '-o', join(folder, 'back.zst'), stored]);
    await run('zstd', ['-q', '-d', join(folder, 'back.zst'), '-o', join(folder, 'back')]);
    const back = await readFile(join(folder, 'back'));
    assert.ok(back.equals(await readFile(plain())));
    const bytes = await readFile(stored);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    assert.deepEqual(digests().stored, { bytes: bytes.length, sha256 });
  });

  test('that is damaged is refused by `zstd -d` as well', async () => {
    const stored = join(folder, 'damaged.zst');
    const { body } = encode(createReadStream(plain()), { compression: 'zstd' });
    await pipeline(body, createWriteStream(stored));
    const bytes = await readFile(stored);
    bytes.writeUInt8(bytes.readUInt8(250_000) ^ 1, 250_000);
    await writeFile(stored, bytes);
    await assert.rejects(run('zstd', ['-q', '-t', stored]), /checksum|corrupt/i);
  });

  test('can also be written: what `zstd` and `age -e` made is decoded', async () => {
    await run('zstd', ['-q', '-19', plain(), '-o', join(folder, 'theirs.zst')]);
    await run('age', ['-r', recipient, '-o', join(folder, 'theirs.zst.age'), join(folder, 'theirs.zst')]);
    const source = createReadStream(join(folder, 'theirs.zst.age'));
    const identities = [{ file: identity }];
    const content = decode(source, { compression: 'zstd', encrypted: true, identities, where: 'theirs' });
    const back: Uint8Array[] = [];
    for await (const chunk of content) back.push(chunk);
    assert.ok(Buffer.concat(back).equals(await readFile(plain())));
  });
});
