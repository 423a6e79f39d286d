import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { HealReport } from '../../domain/operations/heal.ts';
import { CLUSTER, failing, type FakeActivities, fakeActivities } from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

async function run<R>(fake: FakeActivities, operation: string, input: object, history?: string): Promise<R> {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const workflowId = `${operation}/${taskQueue}`;
    const handle = await temporal.client.workflow.start(operation, { taskQueue, workflowId, args: [input] });
    try {
      return (await handle.result()) as R;
    } finally {
      if (history !== undefined) await recordHistory(handle, history);
    }
  });
}

function lacking(backup: string, store: string) {
  const key = `prod/10.0.0.1/snapshot-${backup}.db.zst`;
  return { backup, nodeAddress: '10.0.0.1', store, keys: [key] };
}

function found(...copies: ReturnType<typeof lacking>[]) {
  return { copies, more: 0, unreadable: [] };
}

const THREE = ['20261123-000000', '20261122-000000', '20261121-000000'];

test('every copy that a store lacks is healed, store by store', async () => {
  const fake = fakeActivities({
    findLackingCopies: async () =>
      found(...THREE.map((id) => lacking(id, 'offsite')), lacking('20261120-000000', 'local')),
    healCopy: async ({ copy }) => [{ key: copy.keys[0] ?? '', from: 'other', bytes: 10 }],
  });
  const report = await run<HealReport>(fake, 'heal', { cluster: 'prod' }, 'heal-done');
  assert.deepEqual(
    report.healed.map(({ backup, to }) => `${backup} ${to}`),
    [...THREE.map((id) => `${id} offsite`), '20261120-000000 local'],
  );
  assert.deepEqual([report.failed, report.more, report.unreadable], [[], 0, []]);
});

test('a copy that no other store has right does not keep the others from being healed', async () => {
  const fake = fakeActivities({
    findLackingCopies: async () => found(...THREE.map((id) => lacking(id, 'offsite'))),
    healCopy: async ({ copy }) => {
      if (copy.backup === THREE[0]) throw failing('ArtifactMissing', 'no other store has it right');
      return [{ key: copy.keys[0] ?? '', from: 'local', bytes: 10 }];
    },
  });
  const report = await run<HealReport>(fake, 'heal', { cluster: 'prod' });
  assert.deepEqual(
    report.healed.map(({ backup }) => backup),
    THREE.slice(1),
  );
  assert.deepEqual(
    report.failed.map(({ backup, error }) => [backup, error]),
    [[THREE[0], 'no other store has it right']],
  );
});

test('a store that takes nothing is given up after its first failure, and what it lacks is named', async () => {
  let attempts = 0;
  const fake = fakeActivities({
    findLackingCopies: async () => found(...THREE.map((id) => lacking(id, 'offsite'))),
    healCopy: async () => {
      attempts += 1;
      throw failing('NoSpace', 'full');
    },
  });
  const report = await run<HealReport>(fake, 'heal', { cluster: 'prod' }, 'heal-store-fails');
  assert.equal(attempts, 1);
  assert.deepEqual(
    report.failed.map(({ backup, error }) => [backup, error]),
    [
      [THREE[0], 'full'],
      [THREE[1], 'not tried after: full'],
      [THREE[2], 'not tried after: full'],
    ],
  );
});

test('a backup heals older copies when it is done, and not its own', async () => {
  const fake = fakeActivities({
    findLackingCopies: async () => found(lacking('20261123-060000', 'offsite'), lacking('20261122-000000', 'offsite')),
    healCopy: async ({ copy }) => [{ key: copy.backup, from: 'local', bytes: 10 }],
  });
  const report = await run<BackupReport>(fake, 'backup', { cluster: 'prod' }, 'backup-heals');
  assert.equal(report.state, 'complete');
  assert.deepEqual(fake.calls.slice(-3), ['writeManifest', 'findLackingCopies', 'healCopy']);
});

test('a backup prunes when no schedule does and a store has rules, and otherwise doesn’t', async () => {
  const [local, offsite] = CLUSTER.stores;
  assert.ok(local && offsite);
  const ruled = { ...CLUSTER, stores: [{ ...local, retention: { keepLast: 2 } }, offsite] };
  const pruned = async (cluster: typeof CLUSTER, history?: string) => {
    const fake = fakeActivities({ readCluster: async () => cluster });
    await run(fake, 'backup', { cluster: 'prod' }, history);
    return fake.calls.filter((call) => /planPrune|sweepStore/.test(call));
  };
  assert.deepEqual(await pruned(ruled, 'backup-prunes'), [
    'planPrune local',
    'planPrune offsite',
    'sweepStore local',
    'sweepStore offsite',
  ]);
  assert.deepEqual(await pruned({ ...ruled, schedules: { prune: { every: '1d' } } }), []);
  assert.deepEqual(await pruned(CLUSTER), []);
});

test('nothing that fails after the manifest fails the backup', async () => {
  const broken = async () => {
    throw failing('AccessDenied', 'no');
  };
  const [local] = CLUSTER.stores;
  assert.ok(local);
  const cluster = { ...CLUSTER, stores: [{ ...local, retention: { keepLast: 2 } }] };
  const fake = fakeActivities({
    readCluster: async () => cluster,
    findLackingCopies: broken,
    inspectMembers: broken,
  });
  const report = await run<BackupReport>(fake, 'backup', { cluster: 'prod' }, 'backup-tending-fails');
  assert.equal(report.state, 'complete');
});
