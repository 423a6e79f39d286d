import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Progress } from '../../domain/operations/progress.ts';
import type { RestoreInput, RestoreReport } from '../../domain/operations/restore.ts';
import { failureTypeIn } from '../support/failures.ts';
import { CLUSTER, failing, type FakeActivities, fakeActivities } from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import type { restore } from '../../workflows/index.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

const TOUCHING = ['stopApiServer', 'stopEtcd', 'swapDataDirectory', 'startEtcd', 'startApiServer'];

/** A restore whose plan is approved beforehand, unless the input says otherwise. */
async function run(fake: FakeActivities, input: object, history?: string): Promise<RestoreReport> {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const handle = await temporal.client.workflow.start<typeof restore>('restore', {
      taskQueue,
      workflowId: `restore/${taskQueue}`,
      args: [{ approve: 'auto', ...input } as RestoreInput],
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
    'drawPlan',
    'chooseSource',
    'checkStores',
    'takeSnapshot',
    'readBackCopy',
    'writeManifest',
    'openJournal',
    'stageDataDirectory',
    'writeJournal',
    'stopApiServer',
    'stopEtcd',
    'swapDataDirectory',
    'startEtcd',
    'checkRestoredMembers',
    'startApiServer',
    'checkApiServer',
    'canary',
    'watchProof',
    'closeJournal',
    'lookAfter',
  ]);
  for (const name of TOUCHING) assert.equal(fake.calls.filter((call) => call.startsWith(name)).length, 3);
  assert.equal(report.outcome, 'restored');
  assert.deepEqual(report.revision, { before: '5000', snapshot: '4200', after: '1005001' });
  assert.deepEqual(report.clusterId, { before: '1', after: '9' });
  assert.equal(report.setAside.length, 3);
  assert.ok(report.steps.every((step) => step.state === 'done'));
});

test('a node with the journal of another restore is not staged, and the others lose what they were told', async () => {
  const fake = fakeActivities({
    openJournal: async ({ node }) => {
      if (node === 'm2') throw failing('UnsafeState', 'm2: the restore restore/other has been preparing this node');
      return { path: 'p' };
    },
  });
  await assert.rejects(
    run(fake, { cluster: 'prod', confirm: 'prod' }, 'restore-journal-of-another'),
    (error) => failureTypeIn(error) === 'UnsafeState',
  );
  assert.deepEqual(touched(fake), []);
  assert.ok(!fake.calls.some((call) => call.startsWith('stageDataDirectory')));
  assert.deepEqual(
    fake.calls.filter((call) => /^(openJournal|unstage)/.test(call)),
    ['openJournal m1', 'openJournal m2', ...['m1', 'm2', 'm3'].map((node) => `unstageDataDirectory ${node}`)],
  );
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

test('a member or a kube-apiserver that dies behind the gates is started again before clients are waited for', async () => {
  const seen = new Set<string>();
  const atFirst = (what: string) => {
    if (seen.has(what)) return;
    seen.add(what);
    throw ApplicationFailure.nonRetryable(`${what} does not answer`, 'ComponentStuck');
  };
  const fake = fakeActivities({
    canary: async ({ node }) => {
      if (node === 'm2') atFirst('kube-apiserver');
      return { checked: true, seen: 'wrote, read and deleted a config map' };
    },
    watchProof: async ({ node }) => {
      if (node === 'm3') atFirst('etcd');
      return { checked: true, seen: 'a watch is refused' };
    },
  });
  const report = await run(fake, { cluster: 'prod', confirm: 'prod' }, 'restore-started-again-for-clients');
  assert.equal(report.outcome, 'restored');
  const afterGates = fake.calls.slice(fake.calls.indexOf('canary m1'));
  assert.deepEqual(
    afterGates.filter((call) => call.startsWith('start') && !call.startsWith('startControllers')),
    ['startApiServer m2', 'startEtcd m3'],
  );
});

test('the revision is raised past the live one', async () => {
  let bump: string | null = '';
  const fake = fakeActivities({
    stageDataDirectory: async ({ staging }) => {
      bump = staging.bumpRevision;
      return { staged: 's', changed: true };
    },
  });
  await run(fake, { cluster: 'prod', confirm: 'prod' });
  assert.equal(bump, String(5000 - 4200 + 1_000_000));
});

test("when one node's tool can't raise the revision, no node's does, and the step says what that means", async () => {
  const bumps: (string | null)[] = [];
  const seenRevisions: (string | null)[] = [];
  let floor = '';
  const fake = fakeActivities({
    watchProof: async (order) => {
      seenRevisions.push(order.seenRevision);
      return { checked: false, seen: 'not checked' };
    },
    checkNode: async ({ node }) => ({
      etcd: 'running',
      apiServer: 'running',
      dataDir: 'present',
      freeBytes: 1e12,
      etcdutl: node === 'm2' ? "etcdctl 3.4.23 (etcdctl: the node's PATH)" : 'etcdutl 3.6.16 (/usr/bin/etcdutl)',
      leavesRevision: node === 'm2',
    }),
    stageDataDirectory: async ({ staging }) => {
      bumps.push(staging.bumpRevision);
      return { staged: 's', changed: true };
    },
    checkRestoredMembers: async ({ revisionFloor }) => {
      floor = revisionFloor;
      return { clusterId: '9', revision: revisionFloor, members: 3, hash: '78' };
    },
  });
  const report = await run(fake, { cluster: 'prod', confirm: 'prod' }, 'restore-revision-not-raised');
  assert.deepEqual(bumps, [null, null, null]);
  assert.equal(floor, '4200', "the snapshot's own");
  const seen = report.steps.find((step) => step.name === 'Check the node' && step.node === 'm2')?.evidence ?? '';
  assert.match(seen, /WARNING: etcdctl 3\.4\.23 .*can't raise the revision.*Restart everything that watches/);
  assert.deepEqual(seenRevisions, [null, null, null]);
  assert.deepEqual(report.aftercare?.[0], {
    what: 'watches from before the restore',
    state: 'listed',
    detail: "they do not end, and may miss changes silently: the revision went back to the snapshot's, 4200",
    advice: 'restart everything that watches: kubelets, controllers, operators',
  });
});

/** Starts a restore that pauses, lets `decide` act on it, and gives the report. */
async function runPaused(
  fake: FakeActivities,
  decide: (handle: WorkflowHandle<typeof restore>) => Promise<void>,
  history: string,
  input: RestoreInput = { cluster: 'prod', confirm: 'prod', approve: 'auto' },
): Promise<RestoreReport> {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const handle = await temporal.client.workflow.start<typeof restore>('restore', {
      taskQueue,
      workflowId: `restore/${taskQueue}`,
      args: [input],
    });
    await decide(handle);
    const report = await handle.result();
    await recordHistory(handle, history);
    return report;
  });
}

async function untilPaused(handle: WorkflowHandle<typeof restore>): Promise<string> {
  return await until('the restore waits for a person', async () => {
    const { waitingFor } = await handle.query<Progress>('progress');
    return waitingFor ?? undefined;
  });
}

test('a step that cannot succeed once the cluster is touched waits for a person, and goes on after retry', async () => {
  let isBroken = true;
  const fake = fakeActivities({
    startEtcd: async ({ node }) => {
      if (node === 'm2' && isBroken) throw failing('UnsafeState', 'm2: the unit is masked');
      return { changed: true };
    },
  });
  const report = await runPaused(
    fake,
    async (handle) => {
      assert.equal(
        await untilPaused(handle),
        'Start etcd (m2): m2: the unit is masked. Decide: retry, rollback or abort',
      );
      await assert.rejects(handle.executeUpdate('rollforward'), 'an unknown decision is refused');
      isBroken = false;
      await handle.executeUpdate('retry');
    },
    'restore-paused-retried',
  );
  assert.equal(report.outcome, 'restored');
  assert.equal(report.problem, null);
  assert.equal(fake.calls.filter((call) => call === 'startEtcd m1').length, 1, 'only what failed is done again');
  assert.ok(report.steps.every((step) => step.state === 'done'));
});

test('a rollback puts every node back to how it was found, in order, and says where the restored data lies', async () => {
  const fake = fakeActivities({
    checkNode: async ({ node }) => ({
      etcd: node === 'm3' ? 'stopped' : 'running',
      apiServer: 'running',
      dataDir: node === 'm3' ? 'missing' : 'present',
      freeBytes: 1e12,
      etcdutl: '/usr/bin/etcdutl',
      leavesRevision: false,
    }),
    checkRestoredMembers: async () => {
      throw failing('UnsafeState', 'the members do not hold the same keys');
    },
  });
  const report = await runPaused(
    fake,
    async (handle) => {
      await untilPaused(handle);
      await handle.executeUpdate('rollback');
    },
    'restore-rolled-back',
  );
  assert.equal(report.outcome, 'rolled-back');
  assert.match(report.problem ?? '', /do not hold the same keys/);
  const since = fake.calls.slice(fake.calls.lastIndexOf('checkRestoredMembers') + 1);
  const order = [...new Set(since.map((call) => call.split(' ')[0]))];
  assert.deepEqual(order, [
    'writeJournal',
    'stopApiServer',
    'stopEtcd',
    'putBackDataDirectory',
    'startEtcd',
    'checkFormerMembers',
    'startApiServer',
    'checkApiServer',
    'closeJournal',
  ]);
  assert.deepEqual(
    since.filter((call) => call.startsWith('startEtcd')),
    ['startEtcd m1', 'startEtcd m2'],
    'm3 did not run before',
  );
  assert.equal(report.setAside.length, 3);
});

test('members of kubeadm nodes start one after the other, in a restore and in a rollback', async () => {
  const order: string[] = [];
  const fake = fakeActivities({
    readCluster: async () => ({ ...CLUSTER, flavour: 'kubeadm' }),
    inspectMembers: async (given) =>
      (await fakeActivities().activities.inspectMembers(given)).map((member) =>
        member.node === 'm1' ? { node: 'm1', address: '', clientUrl: '', error: 'connection refused' } : member,
      ),
    startEtcd: async ({ node }) => {
      order.push(`${node} starts`);
      await delay(20);
      order.push(`${node} runs`);
      return { changed: true };
    },
    checkRestoredMembers: async () => {
      throw failing('UnsafeState', 'the members do not hold the same keys');
    },
  });
  const report = await run(
    fake,
    { cluster: 'prod', confirm: 'prod', onFailure: 'rollback' },
    'restore-kubeadm-rolled-back',
  );
  assert.equal(report.outcome, 'rolled-back');
  const inTurn = (...nodes: string[]) => nodes.flatMap((node) => [`${node} starts`, `${node} runs`]);
  assert.deepEqual(order, [...inTurn('m1', 'm2', 'm3'), ...inTurn('m2', 'm3', 'm1')], 'the silent one last');
});

test('a rollback is over when a member that did not answer before does not start either', async () => {
  const fake = fakeActivities({
    inspectMembers: async (order) =>
      (await fakeActivities().activities.inspectMembers(order)).map((member) =>
        member.node === 'm3' ? { node: 'm3', address: '', clientUrl: '', error: 'connection refused' } : member,
      ),
    swapDataDirectory: async () => {
      throw failing('UnsafeState', 'something else is there');
    },
    startEtcd: async ({ node }) => {
      if (node === 'm3') throw failing('ComponentStuck', 'm3: etcd ends at once');
      return { changed: true };
    },
  });
  const report = await run(
    fake,
    { cluster: 'prod', confirm: 'prod', onFailure: 'rollback' },
    'restore-rolled-back-to-two-of-three',
  );
  assert.equal(report.outcome, 'rolled-back');
  const start = report.steps.find(({ name, node }) => name === 'Roll back: start etcd' && node === 'm3');
  assert.equal(start?.evidence, 'it did not answer before the restore either: m3: etcd ends at once');
});

test('with onFailure rollback the first failure rolls back without a person', async () => {
  const fake = fakeActivities({
    swapDataDirectory: async ({ node }) => {
      if (node === 'm2') throw failing('UnsafeState', 'm2: something else is there');
      return { setAside: '/var/lib/etcd/member.before' };
    },
  });
  const report = await run(
    fake,
    { cluster: 'prod', confirm: 'prod', onFailure: 'rollback' },
    'restore-rolled-back-by-itself',
  );
  assert.equal(report.outcome, 'rolled-back');
  assert.ok(!fake.calls.includes('checkRestoredMembers'));
});

test('an abort leaves everything as it is and says why', async () => {
  const fake = fakeActivities({
    stopEtcd: async () => {
      throw failing('UnsafeState', 'systemctl: no such unit');
    },
  });
  const report = await runPaused(
    fake,
    async (handle) => {
      await untilPaused(handle);
      await handle.executeUpdate('abort');
    },
    'restore-aborted',
  );
  assert.equal(report.outcome, 'aborted');
  assert.match(report.problem ?? '', /no such unit/);
  assert.ok(!fake.calls.some((call) => call.startsWith('swapDataDirectory') || call.startsWith('putBack')));
});

test('a rollback that cannot succeed waits as well, and cannot be rolled back once more', async () => {
  const fake = fakeActivities({
    startEtcd: async () => {
      throw failing('UnsafeState', 'the disk is gone');
    },
  });
  const report = await runPaused(
    fake,
    async (handle) => {
      await untilPaused(handle);
      await handle.executeUpdate('rollback');
      await until('the rollback waits', async () => {
        const { waitingFor } = await handle.query<Progress>('progress');
        return waitingFor?.startsWith('Roll back') ? waitingFor : undefined;
      });
      await assert.rejects(handle.executeUpdate('rollback'), (error) =>
        /the rollback itself is waiting/.test(String((error as Error).cause)),
      );
      await handle.executeUpdate('abort');
    },
    'restore-rollback-aborted',
  );
  assert.equal(report.outcome, 'aborted');
  assert.match(report.problem ?? '', /then, rolling back: Roll back: start etcd/);
});

test('a decision that nobody asked for is refused, and a cancellation in the middle does not leave the cluster in between', async () => {
  const fake = fakeActivities({
    stopEtcd: async ({ node }) => {
      if (node === 'm2') await delay(1_500);
      return { changed: true };
    },
  });
  const report = await runPaused(
    fake,
    async (handle) => {
      await assert.rejects(handle.executeUpdate('retry'), (error) =>
        /no step is waiting for a decision/.test(String((error as Error).cause)),
      );
      await until('the cluster is touched', async () => fake.calls.includes('stopEtcd m2'));
      await handle.cancel();
    },
    'restore-cancelled-in-the-middle',
  );
  assert.equal(report.outcome, 'restored');
});
