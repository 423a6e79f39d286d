import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesIn, fieldsOf, messageWithNumber, numberIn } from '../../../adapters/etcd/wire.ts';

const blob = Buffer.from('the bytes of a page');

test('a snapshot response of etcd 3.6 is split into header, remaining bytes, blob and version', () => {
  const message = Buffer.concat([
    Buffer.from([0x0a, 2, 0x08, 1]),
    Buffer.from([0x10, 0x80, 0x80, 0x40]),
    Buffer.from([0x1a, blob.length]),
    blob,
    Buffer.from([0x22, 5]),
    Buffer.from('3.6.0'),
  ]);
  const fields = fieldsOf(message);
  assert.deepEqual([...fields.keys()], [1, 2, 3, 4]);
  assert.equal(numberIn(fields, 2), 1_048_576);
  assert.deepEqual(Buffer.from(bytesIn(fields, 3)), blob);
  assert.equal(bytesIn(fields, 3).buffer, message.buffer, 'the blob is a view, not a copy');
});

test('fields that are left out are zero and empty, as in the last message of a snapshot', () => {
  const fields = fieldsOf(Buffer.alloc(0));
  assert.equal(numberIn(fields, 2), 0);
  assert.equal(bytesIn(fields, 3).length, 0);
});

test('fixed fields of another version are skipped', () => {
  const message = Buffer.from([0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 7]);
  assert.equal(numberIn(fieldsOf(message), 3), 7);
});

test('every number that JavaScript holds exactly is read as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (value) => {
      assert.equal(numberIn(fieldsOf(messageWithNumber(1, value)), 1), value);
    }),
  );
});

test('a number that JavaScript can not hold exactly is refused, not rounded', () => {
  const fields = fieldsOf(Buffer.from([0x08, ...Array.from({ length: 9 }, () => 0xff), 1]));
  assert.throws(() => numberIn(fields, 1), RangeError);
});

for (const [what, bytes] of [
  ['a blob longer than the message', [0x1a, 200, 1, 2]],
  ['a number without an end', [0x10, 0x80]],
  ['a number of eleven bytes', [0x10, ...Array.from({ length: 11 }, () => 0xff)]],
  ['a field of an unknown type', [0x0b, 1]],
] as const) {
  test(`${what} is refused`, () => {
    assert.throws(() => fieldsOf(Buffer.from(bytes)), RangeError);
  });
}
