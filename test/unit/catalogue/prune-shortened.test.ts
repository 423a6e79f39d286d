import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortened, type StorePlan } from '../../../adapters/catalogue/prune-plan.ts';

/** Newest first, as every plan. */
function planOf(counts: { kept: number; removed: number; orphans: number }): StorePlan {
  const names = (count: number) => Array.from({ length: count }, (_, index) => String(99_999 - index));
  return {
    kept: names(counts.kept).map((backup) => ({ backup, reason: 'kept by keepWithin: younger than 30d' })),
    removed: names(counts.removed).map((backup) => ({ backup, nodeAddress: '10.0.0.1', reason: 'no rule keeps it' })),
    orphans: names(counts.orphans).map((key) => ({ key, bytes: 1 })),
  };
}

test('a plan that has room stays as it is', () => {
  const plan = planOf({ kept: 100, removed: 100, orphans: 10 });
  assert.deepEqual(shortened(plan, 100_000), plan);
});

test('of a plan that is too long the oldest are removed first, the newest of what is kept are named, and the rest is counted', () => {
  const plan = planOf({ kept: 10_000, removed: 10_000, orphans: 10_000 });
  const short = shortened(plan, 200_000);
  assert.ok(JSON.stringify(short).length < 210_000);
  assert.ok(short.removed.length > 500 && short.kept.length > 500 && short.orphans.length > 100);
  assert.deepEqual(short.removed, plan.removed.slice(-short.removed.length));
  assert.deepEqual(short.kept, plan.kept.slice(0, short.kept.length));
  assert.deepEqual(short.more, {
    kept: 10_000 - short.kept.length,
    removed: 10_000 - short.removed.length,
    orphans: 10_000 - short.orphans.length,
  });
});

test('what is left is removed by the plans that follow, until nothing is', () => {
  let { removed } = planOf({ kept: 0, removed: 10_000, orphans: 0 });
  let rounds = 0;
  for (; removed.length > 0; rounds += 1) {
    const { removed: now, more } = shortened({ kept: [], removed, orphans: [] }, 400_000);
    removed = removed.filter((each) => !now.includes(each));
    assert.equal(more?.removed ?? 0, removed.length);
  }
  assert.ok(rounds > 1 && rounds < 10, `${rounds} rounds`);
});
