import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseForDrill, type DrillCandidate, type DrillWish } from '../../../domain/backups/choose-drill.ts';
import type { Proof } from '../../../domain/format/manifest.ts';

/** A day's backup, in a few letters: when it was taken, how it is, how far it is proven, when it was drilled last. */
function backup(day: number, state: DrillCandidate['entry']['state'], proof: Proof | null, drilled?: number) {
  const id = `202601${String(day).padStart(2, '0')}-000000`;
  const at = (other: number) => `2026-01-${String(other).padStart(2, '0')}T00:00:00.000Z`;
  const entry = { backup: id, takenAt: at(day), state, proof };
  return { entry, ...(drilled !== undefined && { verified: { verifiedAt: at(drilled) } }) };
}

const NEW = [backup(9, 'complete', 'readBack'), backup(8, 'complete', 'served', 8), backup(7, 'complete', 'readBack')];
const PROVEN = [
  backup(9, 'complete', 'served', 10),
  backup(8, 'degraded', 'restored', 20),
  backup(7, 'complete', 'served', 8),
];

const CASES: [what: string, backups: DrillCandidate[], wish: DrillWish, day: number | undefined, why?: RegExp][] = [
  ['latest is the newest', NEW, 'latest', 9, /the newest good one/],
  ['latest is the newest, proven or not', PROVEN, 'latest', 9],
  ['the oldest proof is one that was never drilled, the oldest of them', NEW, 'oldest-proof', 7, /never drilled yet/],
  [
    'the oldest proof is the oldest drill, however old the backup is',
    PROVEN,
    'oldest-proof',
    7,
    /last drilled at 2026-01-08/,
  ],
  ['a schedule takes the newest until it is proven', NEW, undefined, 9, /not proven yet/],
  ['a schedule takes the oldest proof when the newest is proven', PROVEN, undefined, 7, /last drilled/],
  [
    'a schedule takes the newest again when its drill failed',
    [backup(9, 'complete', 'written', 10), ...PROVEN.slice(1)],
    undefined,
    9,
  ],
  [
    'a schedule does not count a drill that did not get as far as a restore',
    [backup(9, 'complete', 'hashed', 10), ...PROVEN.slice(1)],
    undefined,
    9,
  ],
  [
    'a schedule counts a restore without a kube-apiserver',
    [backup(9, 'complete', 'restored', 10), ...PROVEN.slice(1)],
    undefined,
    7,
  ],
  [
    'broken and foreign ones are left out',
    [backup(9, 'broken', 'readBack'), backup(8, 'foreign', null), ...NEW],
    'latest',
    9,
  ],
  ['a newest one that is broken does not count', [backup(10, 'broken', 'readBack'), ...PROVEN], undefined, 7],
  ['a degraded one is good', [backup(10, 'degraded', 'readBack'), ...PROVEN], undefined, 10],
  [
    'without a good one there is no choice',
    [backup(9, 'broken', null), backup(8, 'foreign', null)],
    undefined,
    undefined,
  ],
  ['without any there is no choice', [], 'latest', undefined],
];

for (const [what, backups, wish, day, why] of CASES) {
  test(what, () => {
    const expected = day === undefined ? undefined : backup(day, 'complete', null).entry.backup;
    for (const inOrder of [backups, backups.toReversed()]) {
      const choice = chooseForDrill(inOrder, wish);
      assert.equal(choice?.chosen.entry.backup, expected);
      if (why) assert.match(choice?.why ?? '', why);
    }
  });
}

test('a schedule gets round to every backup: each drill makes its backup the last in the line', () => {
  let backups: DrillCandidate[] = Array.from({ length: 8 }, (_, index) => backup(index + 1, 'complete', 'readBack'));
  const drilled: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    const id = chooseForDrill(backups, undefined)?.chosen.entry.backup ?? '';
    drilled.push(id);
    backups = backups.map((each) =>
      each.entry.backup === id ? backup(Number(id.slice(6, 8)), 'complete', 'served', 10 + round) : each,
    );
  }
  assert.equal(new Set(drilled).size, 8);
  assert.equal(drilled[0], '20260108-000000');
  assert.equal(drilled[1], '20260101-000000');
});
