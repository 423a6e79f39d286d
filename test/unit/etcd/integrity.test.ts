import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkSnapshot } from '../../../adapters/snapshots/integrity.ts';

const WHERE = 'snapshot-20260101-000000.db in offsite';

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function snapshotOf(body: Uint8Array): Buffer {
  return Buffer.concat([body, sha256(body)]);
}

async function* inChunks(bytes: Uint8Array, sizes: number[]): AsyncGenerator<Uint8Array> {
  let position = 0;
  for (let index = 0; position < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(position, position + size);
    position += size;
  }
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const pages = Buffer.alloc(512 * 20, 'the pages of a database ');

test('a whole snapshot passes unchanged and gives its digest, however it is cut into chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 8 }),
      async (sizes, pageCount) => {
        const snapshot = snapshotOf(pages.subarray(0, pageCount * 512));
        const checked = checkSnapshot(inChunks(snapshot, sizes), WHERE);
        assert.equal(checked.digest(), undefined);
        assert.deepEqual(await drain(checked), snapshot);
        assert.deepEqual(checked.digest(), {
          bytes: snapshot.length,
          sha256: sha256(snapshot).toString('hex'),
          bodySha256: snapshot.subarray(-32).toString('hex'),
        });
      },
    ),
  );
});

test('any flipped bit is refused', async () => {
  const snapshot = snapshotOf(pages.subarray(0, 1024));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: snapshot.length * 8 - 1 }), async (bit) => {
      const changed = Buffer.from(snapshot);
      const byte = Math.floor(bit / 8);
      changed[byte] = (changed[byte] ?? 0) ^ (1 << (bit % 8));
      await assert.rejects(drain(checkSnapshot(inChunks(changed, [300]), WHERE)), { type: 'BackupCorrupt' });
    }),
  );
});

test('a snapshot cut off anywhere is refused, and no digest is given', async () => {
  const snapshot = snapshotOf(pages.subarray(0, 1024));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: snapshot.length - 1 }), async (bytes) => {
      const checked = checkSnapshot(inChunks(snapshot.subarray(0, bytes), [100]), WHERE);
      await assert.rejects(drain(checked), { type: 'BackupCorrupt' });
      assert.equal(checked.digest(), undefined);
    }),
  );
});

for (const [what, bytes, message] of [
  ['an empty stream', Buffer.alloc(0), /snapshot-20260101-000000.db in offsite: the snapshot is empty/],
  ['a database without the hash', pages, /10240 bytes: pages without the hash/],
  ['a file of another size', pages.subarray(0, 1000), /1000 bytes, 488 more than whole pages; expected 32 more/],
  ['changed pages', Buffer.concat([pages, sha256(Buffer.from('others'))]), /expected SHA-256 [0-9a-f]{64}, got/],
] as const) {
  test(`${what} is refused with a message that says why`, async () => {
    await assert.rejects(drain(checkSnapshot(inChunks(bytes, [512]), WHERE)), { type: 'BackupCorrupt', message });
  });
}

test('whole pages without a hash pass when that is asked for, with the digest of all their bytes', async () => {
  const checked = checkSnapshot(inChunks(pages, [100, 7]), WHERE, { skipHashCheck: true });
  await drain(checked);
  const hash = sha256(pages).toString('hex');
  assert.deepEqual(checked.digest(), { bytes: pages.length, sha256: hash, bodySha256: hash });
});

test('a hash that is there must be right, and pages must be whole, whatever is asked for', async () => {
  const snapshot = snapshotOf(pages);
  await drain(checkSnapshot(inChunks(snapshot, [512]), WHERE, { skipHashCheck: true }));
  for (const bad of [
    Buffer.concat([pages, sha256(Buffer.from('others'))]),
    pages.subarray(0, 1000),
    snapshot.subarray(0, -1),
    Buffer.alloc(0),
  ]) {
    const checked = checkSnapshot(inChunks(bad, [512]), WHERE, { skipHashCheck: true });
    await assert.rejects(drain(checked), { type: 'BackupCorrupt' });
  }
});

test('bytes that come from etcd are refused as an interrupted snapshot, which is retried', async () => {
  const source = inChunks(pages, [512]);
  await assert.rejects(drain(checkSnapshot(source, 'm1', { failure: 'SnapshotInterrupted' })), {
    type: 'SnapshotInterrupted',
  });
});

test('an error of the source comes through as it is', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield pages;
    throw new Error('the disk is on fire');
  }
  await assert.rejects(drain(checkSnapshot(broken(), WHERE)), { message: 'the disk is on fire' });
});
