import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Manifest } from '../../domain/manifest.ts';
import { lockWorkflowId } from '../../domain/operations.ts';
import { failureTypeIn } from '../support/failures.ts';
import { failing, type FakeActivities, fakeActivities } from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';
import type { backup, holdCluster } from '../../workflows/index.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

async function run(fake: FakeActivities, input: unknown, history?: string) {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const handle = await temporal.client.workflow.start<typeof backup>('backup', {
      taskQueue,
      workflowId: `backup/${taskQueue}`,
      args: [input as { cluster: string }],
    });
    try {
      return await handle.result();
    } finally {
      if (history !== undefined) await recordHistory(handle, history);
    }
  });
}

test('a backup chooses a member, checks the stores, streams, reads back every copy, and writes the manifest last', async () => {
  const fake = fakeActivities();
  const report = await run(fake, { cluster: 'prod' }, 'backup-complete');
  assert.deepEqual(fake.calls, [
    'readCluster',
    'chooseSource',
    'checkStores',
    'takeSnapshot m2',
    'readBackCopy local',
    'readBackCopy offsite',
    'writeManifest',
  ]);
  assert.equal(report.state, 'complete');
  assert.equal(report.node, 'm2');
  assert.equal(report.revision, '4200');
  assert.deepEqual(
    report.artifacts[0]?.copies.map(({ store, state }) => [store, state]),
    [
      ['local', 'complete'],
      ['offsite', 'complete'],
    ],
  );
});

test('a store whose copy reads back differently makes the backup degraded, and the manifest does not name it', async () => {
  let written: Manifest | undefined;
  const fake = fakeActivities({
    readBackCopy: async ({ store }) => {
      if (store === 'offsite') throw failing('BackupCorrupt', 'other bytes came back');
      return { store, bytes: 1 };
    },
    writeManifest: async ({ manifest }) => {
      written = manifest;
      return { key: 'k', stores: [] };
    },
  });
  const report = await run(fake, { cluster: 'prod' }, 'backup-degraded');
  assert.equal(report.state, 'degraded');
  assert.match(report.artifacts[0]?.copies[1]?.error ?? '', /other bytes came back/);
  assert.deepEqual(written?.artifacts[0]?.stores, ['local']);
  assert.deepEqual(
    written?.intendedStores.map(({ store }) => store),
    ['local', 'offsite'],
  );
});

test('when no store gives its copy back there is no manifest, so no backup', async () => {
  const fake = fakeActivities({
    readBackCopy: async () => {
      throw failing('BackupCorrupt', 'other bytes came back');
    },
  });
  await assert.rejects(run(fake, { cluster: 'prod' }), (error) => failureTypeIn(error) === 'StoreUnavailable');
  assert.ok(!fake.calls.includes('writeManifest'));
});

test('members that disagree end the backup before anything is streamed', async () => {
  const fake = fakeActivities({
    chooseSource: async () => {
      throw failing('MembersDisagree', 'm1+m2 against m3');
    },
  });
  await assert.rejects(
    run(fake, { cluster: 'prod' }, 'backup-members-disagree'),
    (error) => failureTypeIn(error) === 'MembersDisagree',
  );
  assert.deepEqual(fake.calls, ['readCluster', 'chooseSource']);
});

for (const [what, input] of [
  ['without a cluster', {}],
  ['with a number for a cluster', { cluster: 5 }],
  ['with an unknown field', { cluster: 'prod', now: true }],
  ['with a shell expression for a cluster', { cluster: '$(reboot)' }],
] as const) {
  test(`a backup started ${what} fails as InvalidInput and asks for nothing`, async () => {
    const fake = fakeActivities();
    await assert.rejects(run(fake, input), (error) => failureTypeIn(error) === 'InvalidInput');
    assert.deepEqual(fake.calls, []);
  });
}

test('who comes second is told who holds the cluster, and touches nothing', async () => {
  const fake = fakeActivities();
  await withWorker(temporal, fake.activities, async (taskQueue) => {
    const hold = await temporal.client.workflow.start<typeof holdCluster>('holdCluster', {
      taskQueue,
      workflowId: lockWorkflowId('prod'),
      args: [{ cluster: 'prod', operation: 'restore', workflowId: 'restore/prod/by-somebody' }],
    });
    await assert.rejects(
      temporal.client.workflow.execute<typeof backup>('backup', {
        taskQueue,
        workflowId: 'second',
        args: [{ cluster: 'prod' }],
      }),
      (error) =>
        failureTypeIn(error) === 'ClusterBusy' &&
        error instanceof WorkflowFailedError &&
        /by-somebody/.test(String(error.cause?.message)),
    );
    await hold.signal('release');
    await hold.result();
  });
  assert.deepEqual(fake.calls, ['readCluster', 'describeHolder']);
});

test('the cluster is free again after an operation, however it ended', async () => {
  const broken = fakeActivities({
    takeSnapshot: async () => {
      throw failing('AccessDenied', 'no');
    },
  });
  await assert.rejects(run(broken, { cluster: 'prod' }));
  const report = await run(fakeActivities(), { cluster: 'prod' });
  assert.equal(report.state, 'complete');
});
