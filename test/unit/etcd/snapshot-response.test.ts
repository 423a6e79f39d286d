import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSnapshotResponse } from '../../../adapters/etcd/snapshot-response.ts';

const blob = Buffer.from('the bytes of a page');

test('a response of etcd 3.6 gives its blob and the bytes remaining, and its header and version are skipped', () => {
  const message = Buffer.concat([
    Buffer.from([0x0a, 2, 0x08, 1]),
    Buffer.from([0x10, 0x80, 0x80, 0x40]),
    Buffer.from([0x1a, blob.length]),
    blob,
    Buffer.from([0x22, 5]),
    Buffer.from('3.6.0'),
  ]);
  const response = parseSnapshotResponse(message);
  assert.equal(response.remainingBytes, 1_048_576);
  assert.deepEqual(Buffer.from(response.blob), blob);
});

test('fields that are left out are zero and empty, as in the last message', () => {
  assert.deepEqual(parseSnapshotResponse(Buffer.alloc(0)), { remainingBytes: 0, blob: new Uint8Array(0) });
});

test('a size above 4 GiB is read whole', () => {
  // 5 * 2^32 as a varint.
  const message = Buffer.from([0x10, 0x80, 0x80, 0x80, 0x80, 0xd0, 0x00]);
  assert.equal(parseSnapshotResponse(message).remainingBytes, 5 * 2 ** 32);
});

test('the blob is a view of the message, not a copy', () => {
  const message = Buffer.concat([Buffer.from([0x1a, blob.length]), blob]);
  assert.equal(parseSnapshotResponse(message).blob.buffer, message.buffer);
});

for (const [what, bytes] of [
  ['a blob longer than the message', [0x1a, 200, 1, 2]],
  ['a number without an end', [0x10, 0x80]],
  ['a number of eleven bytes', [0x10, ...Array.from({ length: 11 }, () => 0xff)]],
  ['a field of an unknown type', [0x0b, 1]],
] as const) {
  test(`${what} is refused`, () => {
    assert.throws(() => parseSnapshotResponse(Buffer.from(bytes)), RangeError);
  });
}
