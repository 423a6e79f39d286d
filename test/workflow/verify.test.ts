import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { VerifyReport } from '../../domain/operations/verify.ts';
import { failureTypeIn } from '../support/failures.ts';
import { failing, type FakeActivities, fakeActivities, verifiedOf } from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';
import type { verify } from '../../workflows/index.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

async function run(fake: FakeActivities, input: object, history?: string): Promise<VerifyReport> {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const handle = await temporal.client.workflow.start<typeof verify>('verify', {
      taskQueue,
      workflowId: `verify/${taskQueue}`,
      args: [input as { cluster: string }],
    });
    try {
      return await handle.result();
    } finally {
      if (history !== undefined) await recordHistory(handle, history);
    }
  });
}

test('a verify chooses, drills and keeps the result, and never holds the cluster', async () => {
  const fake = fakeActivities();
  const report = await run(fake, { cluster: 'prod' }, 'verify-proven');
  assert.deepEqual(fake.calls, ['readCluster', 'chooseDrill', 'drillBackup', 'keepDrillResult']);
  assert.deepEqual(report, {
    cluster: 'prod',
    backup: '20261123-000000',
    store: 'local',
    proof: 'served',
    checks: [{ name: 'it serves the keys of the source', ok: true, seen: 'HashKV 77' }],
    durationMs: 3_000,
  });
});

test('what was asked for reaches the choice and the drill', async () => {
  const asked: unknown[] = [];
  const fake = fakeActivities({
    chooseDrill: async ({ backup, store }) => {
      asked.push({ backup, store });
      return { order: { backup: '20261101-000000', nodeAddress: '10.0.0.1' }, why: '', holders: ['local', 'offsite'] };
    },
    drillBackup: async ({ order, store }) => {
      asked.push({ store });
      return { verified: verifiedOf(order), holders: ['offsite'] };
    },
    keepDrillResult: async ({ holders }) => {
      asked.push(holders);
      return { stores: holders, failing: [] };
    },
  });
  await run(fake, { cluster: 'prod', backup: 'oldest-proof', store: 'offsite' });
  assert.deepEqual(asked, [
    { backup: 'oldest-proof', store: 'offsite' },
    { store: 'offsite' },
    // Also where only another store's copy was read.
    ['local', 'offsite'],
  ]);
});

test('a backup that is wrong fails as BackupCorrupt after the result was kept, naming the check and the copy that is right', async () => {
  const checks = [{ name: 'snapshot in local', ok: false, seen: 'other bytes' }];
  let kept: unknown;
  const fake = fakeActivities({
    drillBackup: async ({ order }) => ({
      verified: { ...verifiedOf(order), proof: 'written', store: 'offsite', checks },
      holders: ['local', 'offsite'],
      corrupt: 'snapshot in local: other bytes',
      restorable: 'offsite',
    }),
    keepDrillResult: async ({ verified, holders }) => {
      kept = verified.checks;
      return { stores: holders, failing: [] };
    },
  });
  await assert.rejects(run(fake, { cluster: 'prod', backup: '20261101-000000' }, 'verify-corrupt'), (error) => {
    assert.ok(error instanceof WorkflowFailedError);
    assert.equal(failureTypeIn(error), 'BackupCorrupt');
    assert.match(
      String(error.cause?.message),
      /20261101-000000 of prod: snapshot in local: other bytes\. The copy in offsite is good and restores/,
    );
    return true;
  });
  assert.deepEqual(kept, checks);
});

test('a store that is down is tried again, and then fails the verify without a word about the backup', async () => {
  let attempts = 0;
  const fake = fakeActivities({
    chooseDrill: async () => {
      attempts += 1;
      throw failing('StoreUnavailable', 'offsite: connection refused');
    },
  });
  await assert.rejects(
    run(fake, { cluster: 'prod' }, 'verify-store-down'),
    (error) => failureTypeIn(error) === 'StoreUnavailable',
  );
  assert.equal(attempts, 4);
  assert.ok(!fake.calls.includes('keepDrillResult'));
});

test('a backup that was pruned meanwhile ends it as ArtifactMissing, and nothing is written', async () => {
  const fake = fakeActivities({
    drillBackup: async () => {
      throw failing('ArtifactMissing', 'it is gone');
    },
  });
  await assert.rejects(run(fake, { cluster: 'prod' }), (error) => failureTypeIn(error) === 'ArtifactMissing');
  assert.ok(!fake.calls.includes('keepDrillResult'));
});

test('a store that does not take the result is a check of its own in the report', async () => {
  const fake = fakeActivities({
    keepDrillResult: async () => ({ stores: ['local'], failing: [{ store: 'offsite', error: 'read-only' }] }),
  });
  const { checks } = await run(fake, { cluster: 'prod' });
  assert.deepEqual(checks.at(-1), { name: 'the result is kept in offsite', ok: false, seen: 'read-only' });
});

for (const [what, input] of [
  ['without a cluster', {}],
  ['with a backup that is no name', { cluster: 'prod', backup: 'newest' }],
  ['with an unknown field', { cluster: 'prod', node: 'm1' }],
] as const) {
  test(`a verify ${what} fails as InvalidInput and asks for nothing`, async () => {
    const fake = fakeActivities();
    await assert.rejects(run(fake, input), (error) => failureTypeIn(error) === 'InvalidInput');
    assert.deepEqual(fake.calls, []);
  });
}
