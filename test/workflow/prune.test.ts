import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { PinReport } from '../../domain/operations/pin.ts';
import type { PruneReport } from '../../domain/operations/prune.ts';
import { failureTypeIn } from '../support/failures.ts';
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

const PLAN = {
  kept: [{ backup: '20261123-060000', reason: 'newest good backup' }],
  removed: [
    { backup: '20261122-060000', nodeAddress: '10.0.0.1', reason: 'no rule keeps it' },
    { backup: '20261121-060000', nodeAddress: '10.0.0.2', reason: 'no rule keeps it' },
  ],
  orphans: [{ key: 'prod/10.0.0.1/snapshot-20261101-000000.db.zst', bytes: 7 }],
};

function changes({ calls }: FakeActivities): string[] {
  return calls.filter((call) => call.startsWith('removeBackups') || call.startsWith('sweepStore'));
}

test('every store is decided on before anything is removed from any', async () => {
  const fake = fakeActivities({ planPrune: async () => PLAN });
  const report = await run<PruneReport>(fake, 'prune', { cluster: 'prod' }, 'prune-done');
  assert.deepEqual(fake.calls, [
    'readCluster',
    'inspectMembers',
    'planPrune local',
    'planPrune offsite',
    'removeBackups local',
    'sweepStore local',
    'removeBackups offsite',
    'sweepStore offsite',
  ]);
  assert.deepEqual([report.dryRun, report.hold], [false, null]);
  const removed = PLAN.removed.map(({ backup, reason }) => ({ backup, reason }));
  assert.deepEqual(
    report.stores,
    ['local', 'offsite'].map((store) => ({ store, kept: PLAN.kept, removed, orphans: PLAN.orphans })),
  );
});

test('a dry run gives the same report and changes nothing', async () => {
  const wet = await run<PruneReport>(fakeActivities({ planPrune: async () => PLAN }), 'prune', { cluster: 'prod' });
  const fake = fakeActivities({ planPrune: async () => PLAN });
  const dry = await run<PruneReport>(fake, 'prune', { cluster: 'prod', dryRun: true }, 'prune-dry-run');
  assert.deepEqual(dry, { ...wet, dryRun: true });
  assert.deepEqual(changes(fake), []);
});

test('members that hold different keys hold everything back', async () => {
  const [first, second, third] = await fakeActivities().activities.inspectMembers({ cluster: CLUSTER });
  assert.ok(first && second && third);
  const hashKv = { revision: '5000', compactRevision: '1', hash: '78' };
  let told: string | null = null;
  const fake = fakeActivities({
    inspectMembers: async () => [first, second, { ...third, hashKv }],
    planPrune: async ({ hold }) => {
      told = hold;
      return { ...PLAN, removed: [], orphans: [] };
    },
  });
  const report = await run<PruneReport>(fake, 'prune', { cluster: 'prod' }, 'prune-members-disagree');
  assert.match(report.hold ?? '', /different keys at the same revision, m1\+m2 against m3/);
  assert.equal(told, report.hold);
  assert.deepEqual(changes(fake), []);
});

test('members that do not answer hold nothing back', async () => {
  const fake = fakeActivities({
    inspectMembers: async () => [{ node: 'm1', address: '', clientUrl: '', error: 'connection refused' }],
    planPrune: async () => PLAN,
  });
  const report = await run<PruneReport>(fake, 'prune', { cluster: 'prod' });
  assert.equal(report.hold, null);
  assert.equal(changes(fake).length, 4);
});

test('a store that holds its backups back loses none, and the report says why; the others are pruned', async () => {
  const hold = 'the clock of this worker says something else';
  const fake = fakeActivities({
    planPrune: async ({ store }) => (store === 'local' ? { ...PLAN, removed: [], orphans: [], hold } : PLAN),
  });
  const report = await run<PruneReport>(fake, 'prune', { cluster: 'prod' }, 'prune-store-holds');
  assert.deepEqual(changes(fake), ['removeBackups offsite', 'sweepStore offsite']);
  assert.equal(report.hold, hold);
  assert.deepEqual(
    report.stores.map((store) => store.hold),
    [hold, undefined],
  );
});

test('a store that can’t be decided on and one that fails on the way are named, and don’t stop each other', async () => {
  const unread = fakeActivities({
    planPrune: async ({ store }) => {
      if (store === 'local') throw failing('StoreMissing', 'no such directory');
      return PLAN;
    },
  });
  const first = await run<PruneReport>(unread, 'prune', { cluster: 'prod' }, 'prune-store-fails');
  assert.deepEqual(
    first.stores.map(({ store, error, removed }) => [store, error, removed.length]),
    [
      ['local', 'no such directory', 0],
      ['offsite', undefined, 2],
    ],
  );
  const failingLater = fakeActivities({
    planPrune: async () => PLAN,
    removeBackups: async ({ store }) => {
      if (store === 'local') throw failing('AccessDenied', 'read only');
      return { kept: [] };
    },
  });
  const second = await run<PruneReport>(failingLater, 'prune', { cluster: 'prod' });
  assert.deepEqual(
    second.stores.map(({ store, error, removed }) => [store, error, removed.length]),
    [
      ['local', 'read only', 0],
      ['offsite', undefined, 2],
    ],
  );
});

test('what turned out to be locked is told as kept', async () => {
  const kept = [{ backup: '20261121-060000', reason: 'locked by the store' }];
  const fake = fakeActivities({ planPrune: async () => PLAN, removeBackups: async () => ({ kept }) });
  const report = await run<PruneReport>(fake, 'prune', { cluster: 'prod', store: 'offsite' });
  assert.deepEqual(
    report.stores.map(({ store, kept, removed }) => [store, kept.map(({ backup }) => backup), removed.length]),
    [['offsite', ['20261121-060000', '20261123-060000'], 1]],
  );
});

test('a store that the cluster doesn’t have is refused', async () => {
  const fake = fakeActivities();
  await assert.rejects(
    run(fake, 'prune', { cluster: 'prod', store: 'tape' }),
    (error) => failureTypeIn(error) === 'UnknownStore',
  );
  assert.deepEqual(fake.calls, ['readCluster']);
});

test('a pin is set and taken away while the cluster is held', async () => {
  const asked: boolean[] = [];
  const fake = fakeActivities({
    setPin: async ({ backup, pinned }) => {
      asked.push(pinned);
      return { backup, stores: ['local', 'offsite'] };
    },
  });
  const input = { cluster: 'prod', backup: '20261123-060000' };
  const report = await run<PinReport>(fake, 'pin', { ...input, pinned: true }, 'pin-done');
  assert.deepEqual(report, { ...input, pinned: true, stores: ['local', 'offsite'] });
  await run(fake, 'pin', { ...input, pinned: false });
  assert.deepEqual(asked, [true, false]);
  await assert.rejects(run(fake, 'pin', input), (error) => failureTypeIn(error) === 'InvalidInput');
});
