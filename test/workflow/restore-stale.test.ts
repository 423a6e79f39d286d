/**
 * A restore waits: for its approval, its safety copy, its staging, a person. What was read before a wait does not
 * decide after it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { FailureType } from '../../domain/errors.ts';
import type { MemberInspection } from '../../domain/members/members.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import type { RestoreInput, RestoreReport } from '../../domain/operations/restore.ts';
import type { Journal } from '../../domain/restore/journal.ts';
import type { restore } from '../../workflows/index.ts';
import { failureMessageIn, failureTypeIn } from '../support/failures.ts';
import { type Activities, failing, type FakeActivities, fakeActivities, JOURNAL } from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';
import { until } from '../support/until.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

const DIGEST = 'abcdef012345';
const TOUCHING = /^(writeJournal|stop|swap|start)/;

/** What the fakes answer with; a test changes it while the restore waits. */
interface LiveCluster {
  revision: string;
  clusterId: string;
  leader: string;
  /** Why a node's member is silent. */
  silent: Record<string, string>;
  stores: string[];
}

interface Wait {
  fake: FakeActivities;
  live: LiveCluster;
  /** What the activities that matter here were given. */
  given: {
    bumpRevision: string | null;
    stores: string[];
    journal?: Journal;
    below: (string | undefined)[];
    seen: string[];
  };
}

function openWait(changes: Partial<Activities> = {}): Wait {
  const plain = fakeActivities().activities;
  const live: LiveCluster = {
    revision: '5000',
    clusterId: '1',
    leader: 'm1',
    silent: {},
    stores: ['local', 'offsite'],
  };
  const given: Wait['given'] = { bumpRevision: null, stores: [], below: [], seen: [] };
  const fake = fakeActivities({
    async inspectMembers(order): Promise<MemberInspection[]> {
      return (await plain.inspectMembers(order)).map(({ status, ...member }) => {
        const error = live.silent[member.node];
        if (error !== undefined || status === undefined) return { ...member, error: error ?? '' };
        return {
          ...member,
          status: { ...status, revision: live.revision, clusterId: live.clusterId, leaderId: live.leader },
        };
      });
    },
    findSnapshot: async (order) => ({ ...(await plain.findSnapshot(order)), stores: live.stores }),
    async stageDataDirectory(order) {
      given.bumpRevision = order.staging.bumpRevision;
      given.stores = order.staging.source.stores;
      return await plain.stageDataDirectory(order);
    },
    async writeJournal(order) {
      given.journal = order.journal;
      return await plain.writeJournal(order);
    },
    async stopEtcd(order) {
      given.below.push(order.below);
      return await plain.stopEtcd(order);
    },
    async watchProof(order) {
      given.seen.push(order.seenRevision ?? 'none');
      return await plain.watchProof(order);
    },
    async checkRestoredMembers({ revisionFloor }) {
      return { clusterId: '9', revision: revisionFloor, members: 3, hash: '78' };
    },
    ...changes,
  });
  return { fake, live, given };
}

async function start<T>(
  { fake }: Wait,
  input: Partial<RestoreInput>,
  history: string | undefined,
  use: (handle: WorkflowHandle<typeof restore>) => Promise<T>,
): Promise<T> {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const handle = await temporal.client.workflow.start<typeof restore>('restore', {
      taskQueue,
      workflowId: `restore/${taskQueue}`,
      args: [{ cluster: 'prod', confirm: 'prod', ...input }],
    });
    const result = await use(handle);
    if (history !== undefined) await recordHistory(handle, history);
    return result;
  });
}

/** Starts a restore, changes the cluster while the approval waits, approves, and gives the report. */
async function changedBeforeApproval(wait: Wait, change: () => void, history?: string): Promise<RestoreReport> {
  return await start(wait, {}, history, async (handle) => {
    await until('the restore asks for an approval', async () => {
      return (await handle.query<Progress>('progress')).toApprove;
    });
    change();
    await handle.executeUpdate('approve', { args: [{ digest: DIGEST }] });
    return await handle.result();
  });
}

/** Runs a restore that must end before it touches anything, with what was staged removed. */
async function refused(wait: Wait, input: Partial<RestoreInput>, history: string, type: FailureType, message: RegExp) {
  await start(wait, input, history, async (handle) => {
    await assert.rejects(handle.result(), (error) => {
      return failureTypeIn(error) === type && message.test(failureMessageIn(error));
    });
  });
  assert.deepEqual(touched(wait), []);
  assert.equal(
    wait.fake.calls.filter((call) => call.startsWith('unstageDataDirectory')).length,
    3,
    'nothing stays staged',
  );
}

function touched({ fake }: Wait): string[] {
  return fake.calls.filter((call) => TOUCHING.test(call));
}

/** Changes the cluster once, when `activity` is asked for the first time. */
function during(activity: 'takeSnapshot' | 'stageDataDirectory', change: (wait: Wait) => void): Wait {
  const wait: Wait = openWait();
  const plain = wait.fake.activities[activity] as (order: object) => Promise<object>;
  let isChanged = false;
  Object.assign(wait.fake.activities, {
    [activity]: async (order: object) => {
      if (!isChanged) change(wait);
      isChanged = true;
      return await plain(order);
    },
  });
  return wait;
}

describe('while the approval waits', () => {
  test('a cluster that gains 2,000,000 revisions is restored above them, and watches from before are refused', async () => {
    const wait = openWait();
    const gained = () => {
      wait.live.revision = '2005000';
    };
    const report = await changedBeforeApproval(wait, gained, 'restore-gained-revisions');
    assert.equal(report.outcome, 'restored');
    assert.equal(report.revision.before, '2005000');
    assert.equal(wait.given.bumpRevision, String(2_005_000 - 4_200 + 1_000_000));
    assert.ok(BigInt(report.revision.after ?? 0) > 2_005_000n, report.revision.after ?? '');
    assert.equal(wait.given.seen.length, 3);
    for (const seen of wait.given.seen)
      assert.ok(BigInt(seen) >= 2_005_000n, `a watch from ${seen} says nothing of 2005000`);
  });

  test('another leader is elected: it is the one that stops last', async () => {
    const wait = openWait();
    const report = await changedBeforeApproval(wait, () => {
      wait.live.leader = 'm2';
    });
    assert.equal(report.outcome, 'restored');
    assert.deepEqual(
      wait.fake.calls.filter((call) => call.startsWith('stopEtcd')),
      ['stopEtcd m1', 'stopEtcd m3', 'stopEtcd m2'],
    );
  });

  test('a store goes away: the new data is read from the ones that are left', async () => {
    const wait = openWait();
    const report = await changedBeforeApproval(wait, () => {
      wait.live.stores = ['offsite'];
    });
    assert.equal(report.outcome, 'restored');
    assert.deepEqual(wait.given.stores, ['offsite']);
  });

  test("a node's tool is exchanged for one that can't raise the revision: no node's does, and the report lists the watches", async () => {
    const plain = fakeActivities().activities;
    let isOld = false;
    const wait = openWait({
      checkNode: async (order) => ({ ...(await plain.checkNode(order)), leavesRevision: isOld && order.node === 'm3' }),
    });
    const report = await changedBeforeApproval(wait, () => {
      isOld = true;
    });
    assert.equal(report.outcome, 'restored');
    assert.equal(wait.given.bumpRevision, null);
    assert.match(report.aftercare?.[0]?.detail ?? '', /may miss changes silently/);
  });

  const ends: [
    what: string,
    type: FailureType,
    change: (state: { isGone: boolean }, plain: Activities) => Partial<Activities>,
  ][] = [
    [
      'the backup of the plan is pruned',
      'ArtifactMissing',
      (state, plain) => ({
        async findSnapshot(order) {
          if (state.isGone) throw failing('ArtifactMissing', 'no store has 20261123-000000 any more');
          return await plain.findSnapshot(order);
        },
      }),
    ],
    [
      'the configuration is given another data directory',
      'PlanChanged',
      (state, plain) => ({
        async readCluster(order) {
          const cluster = await plain.readCluster(order);
          const elsewhere = (node: ClusterNode) => ({ ...node, etcd: { ...node.etcd, dataDir: '/data/etcd' } });
          return state.isGone ? { ...cluster, digest: 'another', nodes: cluster.nodes.map(elsewhere) } : cluster;
        },
      }),
    ],
    [
      'a disk fills up',
      'NoSpace',
      (state, plain) => ({
        async checkNode(order) {
          if (state.isGone) throw failing('NoSpace', `${order.node}: 12 bytes free`);
          return await plain.checkNode(order);
        },
      }),
    ],
    [
      'a node loses its tool',
      'ToolMissing',
      (state, plain) => ({
        async checkNode(order) {
          if (state.isGone && order.node === 'm2') throw failing('ToolMissing', 'm2 has no etcdutl');
          return await plain.checkNode(order);
        },
      }),
    ],
  ];
  for (const [what, type, change] of ends) {
    test(`${what}: the restore ends with ${type} before the safety copy, and nothing is touched`, async () => {
      const state = { isGone: false };
      const wait = openWait(change(state, fakeActivities().activities));
      const ended = changedBeforeApproval(wait, () => {
        state.isGone = true;
      });
      await assert.rejects(ended, (error) => failureTypeIn(error) === type);
      assert.deepEqual(touched(wait), []);
      assert.ok(!wait.fake.calls.some((call) => /^(takeSnapshot|stageDataDirectory)/.test(call)));
    });
  }
});

describe('while the safety copy is taken and the new data is staged', () => {
  test('the revision that the safety copy shows raises where the restored cluster begins', async () => {
    const plain = fakeActivities().activities;
    const wait = openWait({
      async takeSnapshot(order) {
        const taken = await plain.takeSnapshot(order);
        return { ...taken, etcd: { ...taken.etcd, revision: '900000' } };
      },
    });
    const report = await start(wait, { approve: 'auto' }, undefined, (handle) => handle.result());
    assert.equal(wait.given.bumpRevision, String(900_000 - 4_200 + 1_000_000));
    assert.equal(report.revision.before, '900000');
  });

  test('a cluster that writes more than the margin is not touched', async () => {
    const wait = during('stageDataDirectory', ({ live }) => {
      live.revision = '1004999';
    });
    const message = /etcd is at revision 1004999, and the restored cluster would begin at 1005000.*Nothing was touched/;
    await refused(wait, { approve: 'auto' }, 'restore-overtaken', 'PlanChanged', message);
  });

  test('one that stays just below it is restored', async () => {
    const wait = during('stageDataDirectory', ({ live }) => {
      live.revision = '1004998';
    });
    const report = await start(wait, { approve: 'auto' }, undefined, (handle) => handle.result());
    assert.equal(report.outcome, 'restored');
    assert.equal(report.revision.before, '1004998');
    assert.ok(wait.given.seen.every((seen) => seen === '1004998'));
  });

  test('another cluster in its place is not touched', async () => {
    const wait = during('stageDataDirectory', ({ live }) => {
      live.clusterId = '7';
    });
    await refused(wait, { approve: 'auto' }, 'restore-other-cluster', 'PlanChanged', /belong to cluster 7, expected 1/);
  });

  test('members that fall silent while their etcd runs may take writes unseen: an expired certificate ends the restore', async () => {
    const wait = during('stageDataDirectory', ({ live }) => {
      live.silent = { m1: 'certificate has expired', m3: 'certificate has expired' };
    });
    const message = /etcd is running but no longer answers: m1: certificate has expired; m3: certificate has expired/;
    await refused(wait, { approve: 'auto' }, 'restore-unseen', 'PlanChanged', message);
  });

  test('a further member that dies does not stop the restore, and a rollback would not wait for it', async () => {
    const wait = during('stageDataDirectory', ({ live }) => {
      live.silent = { m1: 'connection refused' };
      live.leader = 'm3';
    });
    const report = await start(wait, { approve: 'auto' }, undefined, (handle) => handle.result());
    assert.equal(report.outcome, 'restored');
    assert.deepEqual(wait.given.journal?.up, ['m2', 'm3']);
    assert.equal(wait.given.journal?.leader, 'm3');
  });

  test('a quorum that comes back ends a restore that was approved without one, unless any plan was accepted', async () => {
    const lost = () => {
      const wait = during('stageDataDirectory', ({ live }) => {
        live.silent = {};
      });
      wait.live.silent = { m2: 'connection refused', m3: 'connection refused' };
      return wait;
    };
    await refused(lost(), { approve: DIGEST }, 'restore-quorum-back', 'PlanChanged', /quorum is back: 3 of 3/);
    const report = await start(lost(), { approve: 'auto' }, undefined, (handle) => handle.result());
    assert.equal(report.outcome, 'restored');
  });

  test('a disk that fills up meanwhile is found while the cluster still runs', async () => {
    const plain = fakeActivities().activities;
    const needed: number[] = [];
    let isStaged = false;
    const wait = openWait({
      async checkNode(order) {
        needed.push(order.neededBytes);
        if (isStaged && order.node === 'm2') throw failing('NoSpace', 'm2: 12 bytes free');
        return await plain.checkNode(order);
      },
      async stageDataDirectory(order) {
        isStaged = true;
        return await plain.stageDataDirectory(order);
      },
    });
    await refused(wait, { approve: 'auto' }, 'restore-no-room-any-more', 'NoSpace', /12 bytes free/);
    assert.deepEqual([...new Set(needed)], [3_000_000, 1_000_000], 'what was staged is not asked for twice');
  });
});

test('a configuration that is changed while the new data is staged ends the restore', async () => {
  const plain = fakeActivities().activities;
  let isStaged = false;
  const wait = openWait({
    readCluster: async (order) => ({ ...(await plain.readCluster(order)), ...(isStaged && { digest: 'another' }) }),
    async stageDataDirectory(order) {
      isStaged = true;
      return await plain.stageDataDirectory(order);
    },
  });
  const message = /the configuration of prod was changed/;
  await refused(wait, { approve: 'auto' }, 'restore-configuration-changed', 'PlanChanged', message);
});

describe('once the cluster is touched', () => {
  test('each etcd is stopped only below where the staged data begins: a step may have waited for a person for hours', async () => {
    const wait = openWait();
    await start(wait, { approve: 'auto' }, undefined, (handle) => handle.result());
    assert.deepEqual(wait.given.below, ['1005000', '1005000', '1005000']);
  });
});

describe('a restore that is taken over', () => {
  const refusals: [what: string, history: string, change: (live: LiveCluster) => void, message: RegExp][] = [
    [
      'whose cluster went on past where its data begins',
      'restore-resumed-overtaken',
      (live) => {
        live.revision = '3000000';
      },
      /etcd is at revision 3000000, .*--resume rollback/,
    ],
    [
      'whose members no longer answer',
      'restore-resumed-unseen',
      (live) => {
        live.silent = { m1: 'certificate has expired', m2: 'certificate has expired' };
      },
      /m1: certificate has expired; m2: certificate has expired.*--resume rollback/,
    ],
  ];
  for (const [what, history, change, message] of refusals) {
    test(`${what} is not continued`, async () => {
      const wait = openWait({ readJournal: async () => ({ ...JOURNAL, up: ['m1', 'm2', 'm3'] }) });
      change(wait.live);
      await start(wait, { resume: 'forward' }, history, async (handle) => {
        await assert.rejects(handle.result(), (error) => {
          return failureTypeIn(error) === 'UnsafeState' && message.test(failureMessageIn(error));
        });
      });
      assert.deepEqual(touched(wait), []);
    });
  }

  test('is put back whatever the cluster has written', async () => {
    const wait = openWait({ readJournal: async () => ({ ...JOURNAL, up: ['m1', 'm2', 'm3'] }) });
    wait.live.revision = '3000000';
    const report = await start(wait, { resume: 'rollback' }, undefined, (handle) => handle.result());
    assert.equal(report.outcome, 'rolled-back');
  });
});
