import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Progress } from '../../domain/operations/progress.ts';
import type { ListMembersReport } from '../../domain/operations/list-members.ts';
import type { ReplaceMemberReport } from '../../domain/operations/replace-member.ts';
import { failureMessageIn, failureTypeIn } from '../support/failures.ts';
import {
  CLUSTER,
  failing,
  type FakeActivities,
  fakeActivities,
  listedMembers,
  surveyWithout,
} from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';
import { until } from '../support/until.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

const INPUT = { cluster: 'prod', confirm: 'prod' };
const CHANGING = [
  'moveLeaderAway',
  'stopEtcd',
  'setMemberDataAside',
  'removeMember',
  'addLearner',
  'configureMember',
  'startEtcd',
];

/** Starts a replacement, lets `decide` act on it, and gives the report. */
async function run(
  fake: FakeActivities,
  input: object,
  history?: string,
  decide: (handle: WorkflowHandle) => Promise<void> = async () => undefined,
): Promise<ReplaceMemberReport> {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const workflowId = `replaceMember/${taskQueue}`;
    const handle = await temporal.client.workflow.start('replaceMember', { taskQueue, workflowId, args: [input] });
    try {
      await decide(handle);
      return (await handle.result()) as ReplaceMemberReport;
    } finally {
      if (history !== undefined) await recordHistory(handle, history);
    }
  });
}

async function untilPaused(handle: WorkflowHandle): Promise<string> {
  return await until('the replacement waits for a person', async () => {
    const { waitingFor } = await handle.query<Progress>('progress');
    return waitingFor ?? undefined;
  });
}

function order({ calls }: FakeActivities): string[] {
  return [...new Set(calls.map((call) => call.split(' ')[0] ?? ''))];
}

function changed({ calls }: FakeActivities): string[] {
  return calls.filter((call) => CHANGING.some((name) => call.startsWith(name)));
}

test('a member is looked at, saved and then replaced, in the order of the runbook', async () => {
  let initialCluster = '';
  let apart: object | undefined;
  const chosen = await fakeActivities().activities.chooseSource({ cluster: CLUSTER });
  const fake = fakeActivities({
    chooseSource: async (wish) => {
      apart = wish.apart;
      return chosen;
    },
    configureMember: async (given) => {
      initialCluster = given.initialCluster;
      return { path: '/etc/etcd.env', setAside: ['/etc/etcd.env.before'] };
    },
  });
  const report = await run(fake, INPUT, 'replaceMember-done');
  assert.deepEqual(order(fake), [
    'readCluster',
    'surveyMembers',
    'observeEtcd',
    'checkMemberNode',
    'chooseSource',
    'checkStores',
    'takeSnapshot',
    'readBackCopy',
    'writeManifest',
    'moveLeaderAway',
    'stopEtcd',
    'setMemberDataAside',
    'removeMember',
    'addLearner',
    'configureMember',
    'startEtcd',
    'watchLearner',
    'promoteMember',
    'checkMembers',
  ]);
  assert.deepEqual(apart, { node: 'm3', memberId: '3' }, 'the backup is of the others');
  assert.equal(
    initialCluster,
    'm1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380,m3=https://10.0.0.3:2380',
    'every present member and the new one, by the name that it starts with',
  );
  assert.equal(report.outcome, 'replaced');
  assert.deepEqual(report.found, { state: 'stopped', seen: 'its service does not run' });
  assert.deepEqual(report.removed, { id: '3', name: 'm3', peerUrls: ['https://10.0.0.3:2380'] });
  assert.equal(report.added, '4');
  assert.equal(report.setAside.length, 2);
  assert.ok(report.steps.every(({ state }) => state === 'done'));
});

test('of kubeadm the kube-apiserver of the node stops meanwhile, and what still names an old address is listed', async () => {
  const [first, second, third] = listedMembers();
  assert.ok(first && second && third);
  const survey = surveyWithout('m3');
  const fake = fakeActivities({
    readCluster: async () => ({ ...CLUSTER, flavour: 'kubeadm' }),
    surveyMembers: async () => ({
      ...survey,
      listed: [first, second, { ...third, peerUrls: ['https://10.0.0.9:2380'] }],
    }),
    readApiServerFlags: async ({ node }) => ({
      path: '/etc/kubernetes/manifests/kube-apiserver.yaml',
      etcdServers: node === 'm1' ? 'https://10.0.0.9:2379' : 'https://127.0.0.1:2379',
      advertiseAddress: CLUSTER.nodes.find(({ name }) => name === node)?.address ?? null,
    }),
  });
  const report = await run(fake, INPUT, 'replaceMember-kubeadm');
  const names = order(fake);
  assert.ok(names.indexOf('stopApiServer') < names.indexOf('stopEtcd'));
  assert.ok(names.indexOf('promoteMember') < names.indexOf('startApiServer'));
  assert.ok(fake.calls.includes('startControllers m3'));
  assert.equal(report.found.state, 'moved');
  assert.equal(report.toDo.length, 1);
  assert.match(report.toDo[0] ?? '', /^m1: kube-apiserver names 10\.0\.0\.9/);
});

test('a kubeadm node without a control plane is waited for, with the commands that make it one', async () => {
  let hasJoined = false;
  const fake = fakeActivities({
    readCluster: async () => ({ ...CLUSTER, flavour: 'kubeadm' }),
    checkMemberNode: async () => ({ etcd: 'stopped', apiServer: null, joinsItself: true, seen: 'no static pod' }),
    checkJoined: async ({ instruction }) => {
      if (!hasJoined) throw failing('UnsafeState', instruction);
      return { memberId: '4' };
    },
  });
  const report = await run(fake, INPUT, 'replaceMember-joins-itself', async (handle) => {
    assert.match(await untilPaused(handle), /On m2: `kubeadm token create --print-join-command.*salvor retry prod/);
    hasJoined = true;
    await handle.executeUpdate('retry');
  });
  assert.equal(report.outcome, 'replaced');
  assert.equal(report.added, '4');
  assert.ok(!fake.calls.some((call) => /^(stopEtcd|addLearner|setMemberDataAside)/.test(call)));
});

describe('nothing is touched', () => {
  const cases: [
    what: string,
    changes: Parameters<typeof fakeActivities>[0],
    input: object,
    type: string,
    message: RegExp,
    history?: string,
  ][] = [
    [
      'with quorum lost',
      { surveyMembers: async () => surveyWithout('m2', 'm3') },
      INPUT,
      'NoHealthyMember',
      /salvor restore prod/,
      'replaceMember-quorum-lost',
    ],
    [
      'when every member is healthy',
      { surveyMembers: async () => surveyWithout() },
      INPUT,
      'UnsafeState',
      /every member is healthy/,
      'replaceMember-healthy',
    ],
    [
      'on a node that cannot get the member',
      {
        checkMemberNode: async () => {
          throw failing('InvalidConfiguration', 'm3: set etcd.configuration');
        },
      },
      INPUT,
      'InvalidConfiguration',
      /etcd\.configuration/,
      'replaceMember-node-unfit',
    ],
    [
      'when it cannot be saved first',
      {
        takeSnapshot: async () => {
          throw failing('AccessDenied', 'no store takes it');
        },
      },
      INPUT,
      'AccessDenied',
      /no store takes it/,
      'replaceMember-not-saved',
    ],
    [
      'with another cluster confirmed',
      {},
      { cluster: 'prod', confirm: 'test' },
      'ConfirmationMismatch',
      /expected "prod"/,
    ],
    [
      'with an input that says something else',
      {},
      { ...INPUT, healthy: 'yes' },
      'InvalidInput',
      /"healthy": expected true or false/,
    ],
    [
      'of a flavour whose nodes are not known',
      { readCluster: async () => ({ ...CLUSTER, flavour: 'openshift' }) },
      INPUT,
      'InvalidConfiguration',
      /not supported yet/,
    ],
  ];
  for (const [what, changes, input, type, message, history] of cases) {
    test(what, async () => {
      const fake = fakeActivities(changes);
      await assert.rejects(run(fake, input, history), (error) => {
        assert.equal(failureTypeIn(error), type);
        assert.match(failureMessageIn(error), message);
        return true;
      });
      assert.deepEqual(changed(fake), []);
    });
  }
});

test('a node whose own worker is away counts as one that can not be reached', async () => {
  const fake = fakeActivities({
    observeEtcd: async () => {
      throw ApplicationFailure.nonRetryable('m3: no worker polls its task queue', 'HostUnreachable');
    },
  });
  await assert.rejects(
    run(fake, INPUT, 'replaceMember-node-unreachable'),
    (error) => failureTypeIn(error) === 'HostUnreachable',
  );
  assert.deepEqual(changed(fake), []);
});

test('a step that cannot succeed once the cluster is touched waits for a person, and goes on after retry', async () => {
  let isBroken = true;
  const fake = fakeActivities({
    startEtcd: async () => {
      if (isBroken) throw failing('UnsafeState', 'm3: the unit is masked');
      return { changed: true };
    },
  });
  const report = await run(fake, INPUT, 'replaceMember-paused-retried', async (handle) => {
    assert.equal(await untilPaused(handle), 'Start etcd (m3): m3: the unit is masked. Decide: retry or abort');
    await assert.rejects(handle.executeUpdate('rollback'), (error) =>
      /removed from the cluster, and there is no way back/.test(String((error as Error).cause)),
    );
    isBroken = false;
    await handle.executeUpdate('retry');
  });
  assert.equal(report.outcome, 'replaced');
  assert.equal(fake.calls.filter((call) => call.startsWith('removeMember')).length, 1);
});

test('before the member is taken out, a rollback puts its data back and starts what ran', async () => {
  const fake = fakeActivities({
    surveyMembers: async () => surveyWithout(),
    checkMemberNode: async () => ({ etcd: 'running', apiServer: 'running', joinsItself: false, seen: '' }),
    setMemberDataAside: async () => {
      throw failing('UnsafeState', 'm2: something has started etcd in the meantime');
    },
  });
  const report = await run(
    fake,
    { ...INPUT, node: 'm2', healthy: true },
    'replaceMember-rolled-back',
    async (handle) => {
      assert.match(await untilPaused(handle), /Decide: retry, rollback or abort$/);
      await handle.executeUpdate('rollback');
    },
  );
  assert.equal(report.outcome, 'rolled-back');
  assert.match(report.problem ?? '', /started etcd in the meantime/);
  assert.deepEqual(fake.calls.slice(-3), ['putBackMemberData m2', 'startEtcd m2', 'surveyMembers']);
  assert.ok(!fake.calls.some((call) => call.startsWith('removeMember')));
});

test('an abort leaves everything as it is, and the report says how far it came', async () => {
  const fake = fakeActivities({
    promoteMember: async () => {
      throw failing('UnsafeState', 'something else has removed it');
    },
  });
  const report = await run(fake, INPUT, 'replaceMember-aborted', async (handle) => {
    await untilPaused(handle);
    await handle.executeUpdate('abort');
  });
  assert.equal(report.outcome, 'aborted');
  assert.deepEqual([report.removed?.id, report.added], ['3', '4']);
  assert.equal(report.setAside.length, 1);
  assert.equal(report.after?.length, 3);
});

test('the way of a learner is shown while it is waited for', async () => {
  let looks = 0;
  const fake = fakeActivities({
    watchLearner: async () => {
      looks += 1;
      const inSync = looks > 2;
      if (looks === 2) await new Promise((resolve) => setTimeout(resolve, 1_500));
      return {
        index: String(looks * 1_000),
        leaderIndex: '6000',
        dbSizeBytes: looks * 1_000_000,
        leaderDbSizeBytes: 9_000_000,
        inSync,
      };
    },
  });
  await run(fake, INPUT, 'replaceMember-learner-slow', async (handle) => {
    await until('its progress is shown', async () => {
      const { steps } = await handle.query<Progress>('progress');
      const evidence = steps.find(({ name }) => name === 'Wait until it is in sync')?.evidence;
      return evidence === 'entry 1000 of 6000, 977 KiB of 8.6 MiB';
    });
  });
  assert.equal(looks, 3);
});

test('a cancellation in the middle does not leave the cluster in between', async () => {
  const fake = fakeActivities({
    addLearner: async (given) => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return await fakeActivities().activities.addLearner(given);
    },
  });
  const report = await run(fake, INPUT, 'replaceMember-cancelled', async (handle) => {
    await until('the member is out', async () => fake.calls.includes('addLearner'));
    await handle.cancel();
  });
  assert.equal(report.outcome, 'replaced');
});

test('one operation changes a cluster at a time', async () => {
  const fake = fakeActivities({
    watchLearner: async (given) => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      return await fakeActivities().activities.watchLearner(given);
    },
  });
  await run(fake, INPUT, undefined, async (first) => {
    await until('the first is under way', async () => fake.calls.some((call) => call.startsWith('watchLearner')));
    const { taskQueue } = await first.describe();
    const options = { taskQueue, workflowId: 'replaceMember/second', args: [INPUT] };
    const second = await temporal.client.workflow.start('replaceMember', options);
    await assert.rejects(second.result(), (error) => failureTypeIn(error) === 'ClusterBusy');
  });
});

test('the members are listed with what ails each, and nothing holds the cluster', async () => {
  const fake = fakeActivities();
  const report = await withWorker(temporal, fake.activities, async (taskQueue) => {
    const options = { taskQueue, workflowId: `listMembers/${taskQueue}`, args: [{ cluster: 'prod' }] };
    const handle = await temporal.client.workflow.start('listMembers', options);
    const result = (await handle.result()) as ListMembersReport;
    await recordHistory(handle, 'listMembers-done');
    return result;
  });
  assert.deepEqual(report.quorum, { voters: 3, needed: 2, up: 2 });
  assert.deepEqual(
    report.members.map(({ node, state, role }) => [node, state, role]),
    [
      ['m1', 'healthy', 'leader'],
      ['m2', 'healthy', 'follower'],
      ['m3', 'stopped', null],
    ],
  );
  assert.deepEqual(order(fake), ['readCluster', 'surveyMembers', 'observeEtcd']);
});

describe('while the backup is taken', () => {
  test('the member that was to go comes back: nothing is touched', async () => {
    let isBack = false;
    const plain = fakeActivities().activities;
    const fake = fakeActivities({
      surveyMembers: async (asked) => (isBack ? surveyWithout() : await plain.surveyMembers(asked)),
      takeSnapshot: async (asked) => {
        isBack = true;
        return await plain.takeSnapshot(asked);
      },
    });
    await assert.rejects(
      run(fake, INPUT, 'replaceMember-came-back'),
      (error) => failureTypeIn(error) === 'UnsafeState' && /every member is healthy/.test(failureMessageIn(error)),
    );
    assert.deepEqual(changed(fake), []);
  });

  test('another member falls ill in its place: nothing is touched', async () => {
    let silent = 'm3';
    const plain = fakeActivities().activities;
    const fake = fakeActivities({
      surveyMembers: async () => surveyWithout(silent),
      takeSnapshot: async (asked) => {
        silent = 'm2';
        return await plain.takeSnapshot(asked);
      },
    });
    await assert.rejects(
      run(fake, INPUT, 'replaceMember-another-ill'),
      (error) =>
        failureTypeIn(error) === 'UnsafeState' &&
        /of m3 was to be replaced, now it would be that of m2/.test(failureMessageIn(error)),
    );
    assert.deepEqual(changed(fake), []);
  });
});
