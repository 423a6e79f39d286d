import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Manifest } from '../../domain/format/manifest.ts';
import { lockWorkflowId } from '../../domain/operations/common.ts';
import { failureMessageIn, failureTypeIn } from '../support/failures.ts';
import { CLUSTER, failing, type FakeActivities, fakeActivities } from '../support/fake-activities.ts';
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

test('a backup chooses a member, checks the stores, streams, reads back every copy, writes the manifest last, and then looks for older copies to heal', async () => {
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
    'findLackingCopies',
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

test('a copy that was read back beside the stream is not read again', async () => {
  const { takeSnapshot } = fakeActivities().activities;
  const fake = fakeActivities({
    takeSnapshot: async (order) => ({
      ...(await takeSnapshot(order)),
      copies: [
        { store: 'local', state: 'complete', readBack: true },
        { store: 'offsite', state: 'complete' },
      ],
    }),
  });
  const report = await run(fake, { cluster: 'prod' }, 'backup-read-back-beside');
  assert.equal(report.state, 'complete');
  assert.deepEqual(
    fake.calls.filter((call) => call.startsWith('readBackCopy')),
    ['readBackCopy offsite'],
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

test('a store that does not take the manifest makes the backup degraded: its copies count as failed', async () => {
  const fake = fakeActivities({
    writeManifest: async () => ({
      key: 'k',
      stores: ['local'],
      failing: [{ store: 'offsite', error: 'connection refused' }],
    }),
  });
  const report = await run(fake, { cluster: 'prod' });
  assert.equal(report.state, 'degraded');
  assert.deepEqual(report.artifacts[0]?.copies[0]?.state, 'complete');
  assert.match(report.artifacts[0]?.copies[1]?.error ?? '', /no manifest: connection refused/);
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
  ['with an override that is no check', { cluster: 'prod', override: ['everything'] }],
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

const WITH_FILES = { ...CLUSTER, staticResources: { paths: ['/etc/etcd/pki'] } };

test('a node whose static resources can not be kept makes the backup degraded, and the manifest says what it lacks', async () => {
  let written: Manifest | undefined;
  const defaults = fakeActivities().activities;
  const fake = fakeActivities({
    readCluster: async () => WITH_FILES,
    keepStaticResources: async (order) => {
      if (order.node === 'm3') throw failing('InvalidConfiguration', 'm3: none of the static resources exists');
      return await defaults.keepStaticResources(order);
    },
    writeManifest: async (order) => {
      written = order.manifest;
      return await defaults.writeManifest(order);
    },
  });
  const report = await run(fake, { cluster: 'prod' }, 'backup-static-resources-lacking');
  assert.equal(report.state, 'degraded');
  assert.deepEqual(
    report.artifacts.map(({ kind, node }) => [kind, node]),
    [
      ['snapshot', undefined],
      ['static-resources', 'm1'],
      ['static-resources', 'm2'],
    ],
  );
  const lacking = [{ kind: 'static-resources', node: 'm3', reason: 'm3: none of the static resources exists' }];
  assert.deepEqual(report.lacking, lacking);
  assert.deepEqual(written?.lacking, lacking);
  assert.deepEqual(written?.intendedStores, [
    { store: 'local', kinds: ['snapshot', 'static-resources'] },
    { store: 'offsite', kinds: ['snapshot', 'static-resources'] },
  ]);
  assert.deepEqual(fake.calls.slice(-8, -2).toSorted(), [
    ...Array.from({ length: 3 }, () => 'readBackCopy local'),
    ...Array.from({ length: 3 }, () => 'readBackCopy offsite'),
  ]);
  assert.equal(fake.calls.at(-2), 'writeManifest', 'the manifest comes last');
});

test('when the member that is read breaks off another one is chosen, and its snapshot is the backup', async () => {
  const { takeSnapshot, chooseSource } = fakeActivities().activities;
  const avoided: (string[] | undefined)[] = [];
  const fake = fakeActivities({
    chooseSource: async (order) => {
      avoided.push(order.avoid);
      return { ...(await chooseSource(order)), node: order.avoid?.includes('m2') ? 'm3' : 'm2' };
    },
    takeSnapshot: async (order) => {
      if (order.node === 'm2') throw failing('SnapshotInterrupted', 'it broke off');
      return await takeSnapshot(order);
    },
  });
  const report = await run(fake, { cluster: 'prod' }, 'backup-another-member');
  assert.equal(report.state, 'complete');
  assert.equal(report.node, 'm3');
  assert.deepEqual(avoided, [[], ['m2']]);
  assert.deepEqual(
    fake.calls.filter((call) => call.startsWith('takeSnapshot')),
    ['takeSnapshot m2', 'takeSnapshot m3'],
  );
});

test('a store without room is left out of the stream, and what it lacks is told', async () => {
  let sent: unknown;
  const { takeSnapshot } = fakeActivities().activities;
  const fake = fakeActivities({
    checkStores: async () => ({
      good: ['offsite'],
      failing: [{ store: 'local', error: 'store "local": 5 bytes left', noRoom: true }],
    }),
    takeSnapshot: async (order) => {
      sent = order.without;
      return await takeSnapshot(order);
    },
  });
  await run(fake, { cluster: 'prod' });
  assert.deepEqual(sent, [{ store: 'local', error: 'store "local": 5 bytes left' }]);
});

const KUBEADM = { ...CLUSTER, flavour: 'kubeadm' as const, staticResources: { paths: ['/etc/kubernetes/pki'] } };

test('a kubeadm cluster in the middle of a rollout is not backed up, unless that is overridden by name', async () => {
  const changes = {
    readCluster: async () => KUBEADM,
    readSettling: async () => ({
      installedAt: '2026-01-01T00:00:00.000Z',
      lastChange: { path: '/etc/kubernetes/manifests/etcd.yaml', changedAt: new Date().toISOString() },
    }),
  };
  const refused = fakeActivities(changes);
  await assert.rejects(
    run(refused, { cluster: 'prod' }, 'backup-not-settled'),
    (error) => failureTypeIn(error) === 'ClusterNotReady',
  );
  assert.ok(!refused.calls.includes('chooseSource'));
  const report = await run(fakeActivities(changes), { cluster: 'prod', override: ['rollout'] });
  assert.equal(report.state, 'complete');
});

const OPENSHIFT = { ...CLUSTER, flavour: 'openshift' as const, kubeconfig: '/etc/salvor/kubeconfig' };

test('an OpenShift cluster whose operators roll something out is not backed up, unless that is overridden by name', async () => {
  const changes = {
    readCluster: async () => OPENSHIFT,
    readOperators: async () => ({
      operators: [
        { operator: 'etcd', progressing: 'False', message: '' },
        { operator: 'kube-apiserver', progressing: 'True', message: '2 nodes are at revision 7; 1 node is at 8' },
      ],
    }),
  };
  const refused = fakeActivities(changes);
  await assert.rejects(
    run(refused, { cluster: 'prod' }, 'backup-operators-progressing'),
    (error) =>
      failureTypeIn(error) === 'ClusterNotReady' &&
      /operators kube-apiserver \(.* at 8\)/.test(failureMessageIn(error)),
  );
  assert.ok(!refused.calls.includes('chooseSource'));
  assert.equal((await run(fakeActivities(changes), { cluster: 'prod', override: ['rollout'] })).state, 'complete');
});

test('an OpenShift cluster whose API is away, or that has no kubeconfig, is backed up all the same', async () => {
  const away = fakeActivities({
    readCluster: async () => OPENSHIFT,
    readInstalledAt: async () => ({ problem: 'connection refused' }),
    readOperators: async () => ({ problem: 'connection refused' }),
  });
  assert.equal((await run(away, { cluster: 'prod' })).state, 'complete');
  const { kubeconfig, ...without } = OPENSHIFT;
  const unknown = fakeActivities({ readCluster: async () => without });
  assert.equal((await run(unknown, { cluster: 'prod' })).state, 'complete');
  assert.ok(!unknown.calls.includes('readOperators'), kubeconfig);
});

test('the age that the Kubernetes API tells counts before that of certificates, and nodes that are away stop nothing', async () => {
  const young = fakeActivities({
    readCluster: async () => ({ ...KUBEADM, kubeconfig: '/etc/salvor/kubeconfig' }),
    readInstalledAt: async () => ({ installedAt: new Date().toISOString() }),
  });
  await assert.rejects(run(young, { cluster: 'prod' }), (error) => failureTypeIn(error) === 'ClusterNotReady');
  const away = fakeActivities({
    readCluster: async () => ({ ...KUBEADM, kubeconfig: '/etc/salvor/kubeconfig' }),
    readInstalledAt: async () => ({ problem: 'connection refused' }),
    readSettling: async () => {
      throw failing('InvalidConfiguration', 'no connection to the node');
    },
  });
  assert.equal((await run(away, { cluster: 'prod' })).state, 'complete');
});
