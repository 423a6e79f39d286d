import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RestoreReport } from '../../domain/operations.ts';
import { failureTypeIn } from '../support/failures.ts';
import { failing, type FakeActivities, fakeActivities } from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';
import type { restore } from '../../workflows/index.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

const TOUCHING = ['stopApiServer', 'stopEtcd', 'swapDataDirectory', 'startEtcd', 'startApiServer'];

async function run(fake: FakeActivities, input: object, history?: string): Promise<RestoreReport> {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const handle = await temporal.client.workflow.start<typeof restore>('restore', {
      taskQueue,
      workflowId: `restore/${taskQueue}`,
      args: [input as { cluster: string; confirm: string }],
    });
    try {
      return await handle.result();
    } finally {
      if (history !== undefined) await recordHistory(handle, history);
    }
  });
}

function touched({ calls }: FakeActivities): string[] {
  return calls.filter((call) => TOUCHING.some((name) => call.startsWith(name)));
}

test('a restore stages everything first, then goes through the cluster in the order of the runbook', async () => {
  const fake = fakeActivities();
  const report = await run(fake, { cluster: 'prod', confirm: 'prod' }, 'restore-done');
  const order = [...new Set(fake.calls.map((call) => call.split(' ')[0]))];
  assert.deepEqual(order, [
    'readCluster',
    'findSnapshot',
    'inspectMembers',
    'trialRestore',
    'checkNode',
    'chooseSource',
    'checkStores',
    'takeSnapshot',
    'readBackCopy',
    'writeManifest',
    'stageDataDirectory',
    'stopApiServer',
    'stopEtcd',
    'swapDataDirectory',
    'startEtcd',
    'checkRestoredMembers',
    'startApiServer',
    'checkApiServer',
  ]);
  for (const name of TOUCHING) assert.equal(fake.calls.filter((call) => call.startsWith(name)).length, 3);
  assert.equal(report.outcome, 'restored');
  assert.deepEqual(report.revision, { before: '5000', snapshot: '4200', after: '1005001' });
  assert.deepEqual(report.clusterId, { before: '1', after: '9' });
  assert.equal(report.setAside.length, 3);
  assert.ok(report.steps.every((step) => step.state === 'done'));
});

test('a snapshot that fails its trial is refused before any node is touched', async () => {
  const fake = fakeActivities({
    trialRestore: async () => {
      throw failing('BackupCorrupt', 'the SHA-256 differs');
    },
  });
  await assert.rejects(
    run(fake, { cluster: 'prod', confirm: 'prod' }, 'restore-backup-corrupt'),
    (error) => failureTypeIn(error) === 'BackupCorrupt',
  );
  assert.deepEqual(touched(fake), []);
  assert.ok(!fake.calls.some((call) => call.startsWith('stageDataDirectory')));
});

test('a confirmation that names another cluster asks for nothing at all', async () => {
  const fake = fakeActivities();
  await assert.rejects(
    run(fake, { cluster: 'prod', confirm: 'test' }),
    (error) => failureTypeIn(error) === 'ConfirmationMismatch',
  );
  assert.deepEqual(fake.calls, []);
});

test('a node that cannot be staged stops the restore while the cluster still runs, and nothing stays on the nodes', async () => {
  const fake = fakeActivities({
    stageDataDirectory: async ({ node }) => {
      if (node === 'm3') throw failing('NoSpace', 'm3: the disk is full');
      return { staged: 's', changed: true };
    },
  });
  await assert.rejects(
    run(fake, { cluster: 'prod', confirm: 'prod' }, 'restore-not-staged'),
    (error) => failureTypeIn(error) === 'NoSpace',
  );
  assert.deepEqual(touched(fake), []);
  assert.equal(fake.calls.filter((call) => call.startsWith('unstageDataDirectory')).length, 3);
});

test('a cluster too broken for a safety copy is restored all the same, and the report says so', async () => {
  const fake = fakeActivities({
    inspectMembers: async () => [{ node: 'm1', address: '', clientUrl: '', error: 'connection refused' }],
    chooseSource: async () => {
      throw failing('NoHealthyMember', 'm1: connection refused');
    },
  });
  const report = await run(fake, { cluster: 'prod', confirm: 'prod' }, 'restore-nothing-left');
  assert.equal(report.outcome, 'restored');
  assert.deepEqual(report.revision.before, null);
  assert.match(
    report.steps.find((step) => step.name === 'Save the present state')?.evidence ?? '',
    /not possible: m1: connection refused/,
  );
});

test('no data directory is swapped before every etcd has stopped, however long one takes', async () => {
  let attempts = 0;
  const fake = fakeActivities({
    stopEtcd: async ({ node }) => {
      if (node === 'm2' && ++attempts < 4) throw failing('ComponentStuck', 'm2: etcd still runs');
      return { changed: true };
    },
  });
  await run(fake, { cluster: 'prod', confirm: 'prod' }, 'restore-etcd-stuck');
  assert.equal(attempts, 4);
  assert.ok(
    fake.calls.lastIndexOf('stopEtcd m2') < fake.calls.findIndex((call) => call.startsWith('swapDataDirectory')),
  );
});

test('the revision is raised past the live one', async () => {
  let bump = '';
  const fake = fakeActivities({
    stageDataDirectory: async ({ staging }) => {
      bump = staging.bumpRevision;
      return { staged: 's', changed: true };
    },
  });
  await run(fake, { cluster: 'prod', confirm: 'prod' });
  assert.equal(bump, String(5000 - 4200 + 1_000_000));
});
