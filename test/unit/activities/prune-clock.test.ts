import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createPruneActivities, type StorePlan } from '../../../activities/prune.ts';
import { backupIdOf } from '../../../domain/format/keys.ts';
import { type StoredBackups, storedBackups } from '../../support/stored-backups.ts';

const DAY_MS = 86_400_000;
let root = '';
let stored: StoredBackups;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-prune-clock-'));
});
after(async () => await rm(root, { recursive: true }));

/** Daily backups, the newest of now. */
beforeEach(async () => {
  stored = await storedBackups(root);
  for (const days of [0, 1, 2, 3]) {
    const takenAt = new Date(Date.now() - days * DAY_MS);
    await stored.backup(backupIdOf(takenAt), { takenAt: takenAt.toISOString() });
  }
  stored.retain('local', { keepWithin: '36h' });
});

/** The plan of a worker whose clock is ahead of Temporal's: the order is of an earlier time. */
async function planAhead(ms: number, attempt: number): Promise<StorePlan> {
  const environment = new MockActivityEnvironment({ currentAttemptScheduledTimestampMs: Date.now() - ms, attempt });
  const { planPrune } = createPruneActivities();
  const order = { cluster: stored.cluster, store: 'local', includeForeign: false, hold: null, characters: 1_000_000 };
  return (await environment.run(planPrune, { ...order, dryRun: false, removeMany: false })) as StorePlan;
}

test('a worker whose clock is a year ahead of Temporal’s removes nothing, and says so', async () => {
  const { kept, removed, orphans, hold } = await planAhead(366 * DAY_MS, 2);
  assert.deepEqual([kept.length, removed, orphans], [4, [], []]);
  assert.match(hold ?? '', /the clock of this worker says .* that of Temporal says .*nothing is removed/);
});

test('an order that only waited is asked for again, and then carried out', async () => {
  await assert.rejects(planAhead(3_600_000, 1), /the clock of this worker/);
  const { removed, hold } = await planAhead(1_000, 2);
  assert.deepEqual([removed.length, hold], [2, undefined]);
});
