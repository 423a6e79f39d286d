import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInFuture, whyClocksDisagree } from '../../../domain/clocks.ts';
import { whyTooMany } from '../../../domain/retention/many.ts';

const NOW = new Date('2026-11-23T12:00:00Z');
const after = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000);

test('clocks that are at most ten minutes apart agree', () => {
  for (const minutes of [-10, 0, 10])
    assert.equal(whyClocksDisagree(NOW, [{ of: 'Temporal', at: after(minutes) }]), undefined);
});

test('one clock that is further apart, ahead or behind, is named with what it says', () => {
  const temporal = { of: 'Temporal', at: after(1) };
  for (const minutes of [-11, 11]) {
    const why = whyClocksDisagree(NOW, [temporal, { of: 'store "s"', at: after(minutes) }]) ?? '';
    assert.match(why, /clock of this worker says 2026-11-23T12:00:00.000Z/);
    assert.ok(why.includes(`that of store "s" says ${after(minutes).toISOString()}`) && !why.includes('Temporal'), why);
  }
});

test('a backup is of the future when it is more than ten minutes ahead', () => {
  assert.deepEqual(
    [9, 11].map((minutes) => isInFuture(after(minutes).toISOString(), NOW)),
    [false, true],
  );
});

const MANY: [removed: number, kept: number, asks: boolean][] = [
  [3, 0, false],
  [4, 3, true],
  [4, 4, false],
  [100, 99, true],
  [10, 100, false],
];
for (const [removed, kept, asks] of MANY) {
  test(`to remove ${removed} good backups and keep ${kept} ${asks ? 'waits for a person' : 'is a normal prune'}`, () => {
    assert.equal(whyTooMany('s', removed, kept) !== undefined, asks);
  });
}
