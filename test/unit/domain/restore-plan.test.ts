import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decisiveParts, drawPlan, type PlanFacts, presentState } from '../../../domain/restore/plan.ts';
import type { MemberInspection } from '../../../domain/members/members.ts';
import { CLUSTER } from '../../support/fake-activities.ts';

function member(node: string, status: Partial<NonNullable<MemberInspection['status']>> = {}): MemberInspection {
  return {
    node,
    address: '10.0.0.1',
    clientUrl: 'https://10.0.0.1:2379',
    status: {
      clusterId: '1',
      memberId: node,
      version: '3.6.16',
      revision: '5000',
      raftIndex: '9',
      leaderId: 'm1',
      isLearner: false,
      dbSizeBytes: 1,
      dbSizeInUseBytes: 1,
      errors: [],
      ...status,
    },
  };
}

const silent: MemberInspection = { node: 'm3', address: '', clientUrl: '', error: 'connection refused' };

function facts(changes: Partial<PlanFacts> = {}): PlanFacts {
  return {
    cluster: CLUSTER,
    source: {
      backup: '20261123-060000',
      takenAt: '2026-11-23T06:00:00.000Z',
      key: 'prod/10.0.0.1/snapshot-20261123-060000.db',
      compression: 'none',
      encrypted: false,
      stores: ['local'],
      etcd: { version: '3.6.16', clusterId: '1', memberId: '2', revision: '4200', totalKeys: 7, members: [] },
      proof: 'served',
      state: 'complete',
    },
    members: ['m1', 'm2', 'm3'].map((name) => member(name)),
    trial: { store: 'local', sha256: 'a'.repeat(64), revision: '4200', totalKeys: 7, hashAgrees: true },
    changes: null,
    nodes: ['m1', 'm2', 'm3'].map((name, index) => ({
      name,
      address: `10.0.0.${index + 1}`,
      etcd: 'running',
      apiServer: 'running',
      dataDir: 'present',
      freeBytes: 1e12,
      etcdutl: 'etcdutl 3.6.16',
    })),
    ...changes,
  };
}

test('the revision goes past the highest that a member answers with, and the gap is what is lost', () => {
  const plan = drawPlan(facts({ members: [member('m1'), member('m2', { revision: '5003' }), silent] }));
  assert.equal(plan.before.revision, '5003');
  assert.equal(plan.revisionGap, '803');
  assert.equal(plan.revisionFloor, '1005003');
  assert.deepEqual(plan.before.up, ['m1', 'm2']);
});

test('with no member left, nothing is known of the live revision, and the plan says so', () => {
  const plan = drawPlan(facts({ members: [silent] }));
  assert.equal(plan.revisionGap, null);
  assert.equal(plan.bumpRevision, '1000000000');
  assert.match(plan.warnings.join('\n'), /no member answers: the live revision is unknown/);
});

const lost: [what: string, members: MemberInspection[]][] = [
  ['the members know no leader', [member('m1', { leaderId: '0' }), member('m2', { leaderId: '0' }), silent]],
  ['one of three has not noticed yet', [member('m1'), silent, { ...silent, node: 'm2' }]],
];
for (const [what, members] of lost) {
  test(`the quorum is lost when ${what}`, () => {
    assert.equal(presentState(members).hadLeader, false);
    assert.match(drawPlan(facts({ members })).warnings.join('\n'), /quorum is lost/);
  });
}

test('two of three members with a leader are a quorum', () => {
  assert.equal(presentState([member('m1'), member('m2'), silent]).hadLeader, true);
});

test('a snapshot of a later etcd than a member runs is refused, naming both', () => {
  const members = [member('m1', { version: '3.5.21' }), member('m2')];
  assert.throws(() => drawPlan(facts({ members })), /snapshot is from etcd 3\.6\.16, and m1 runs 3\.5\.21/);
});

test('a snapshot of an earlier etcd is taken, and the upgrade is told', () => {
  const source = facts().source;
  const plan = drawPlan(
    facts({ source: { ...source, etcd: { ...source.etcd, version: '3.5.21' } as NonNullable<typeof source.etcd> } }),
  );
  assert.match(plan.warnings.join('\n'), /snapshot is from etcd 3\.5\.21.*upgrade the data/);
});

const warned: [what: string, changes: Partial<PlanFacts>, warning: RegExp][] = [
  ['a degraded backup', { source: { ...facts().source, state: 'degraded' } }, /the backup is degraded/],
  ['a loss that is not known', { changesProblem: 'timed out' }, /what would be lost is unknown: timed out/],
  [
    'a node without a data directory',
    { nodes: facts().nodes.map((node) => (node.name === 'm2' ? { ...node, dataDir: 'missing' } : node)) },
    /m2 has no data;/,
  ],
  [
    'an etcd that does not run',
    { nodes: facts().nodes.map((node) => (node.name === 'm2' ? { ...node, etcd: 'stopped' } : node)) },
    /etcd on m2 is not running/,
  ],
  ['a member that is silent', { members: [member('m1'), silent] }, /m3 does not answer: connection refused/],
];
for (const [what, changes, warning] of warned) {
  test(`the plan warns of ${what}`, () => {
    const { warnings } = drawPlan(facts(changes));
    assert.match(warnings.join('\n'), warning);
    assert.ok(!drawPlan(facts()).warnings.some((line) => warning.test(line)));
  });
}

test('what an approval is of doesn’t change while the cluster just goes on', () => {
  const now = decisiveParts(CLUSTER, drawPlan(facts()));
  const members = ['m1', 'm2', 'm3'].map((name) => member(name, { revision: '6000', raftIndex: '99' }));
  const nodes = facts().nodes.map((node) => ({ ...node, freeBytes: 1e11 }));
  assert.deepEqual(decisiveParts(CLUSTER, drawPlan(facts({ members, nodes }))), now);
});

const decisive: [what: string, changes: Partial<PlanFacts>][] = [
  ['the bytes', { trial: { ...facts().trial, sha256: 'b'.repeat(64) } }],
  ['a member that is gone', { members: [member('m1'), member('m2'), silent] }],
  ['another cluster', { members: [member('m1', { clusterId: '2' })] }],
  ['a node whose etcd has stopped', { nodes: facts().nodes.map((node) => ({ ...node, etcd: 'stopped' as const })) }],
  ['a data directory that is gone', { nodes: facts().nodes.map((node) => ({ ...node, dataDir: 'missing' as const })) }],
];
for (const [what, changes] of decisive) {
  test(`it is another plan with ${what}`, () => {
    assert.notDeepEqual(decisiveParts(CLUSTER, drawPlan(facts(changes))), decisiveParts(CLUSTER, drawPlan(facts())));
  });
}

test('it is another plan when the configuration names another data directory', () => {
  const [first, ...rest] = CLUSTER.nodes;
  assert.ok(first);
  const moved = { ...CLUSTER, nodes: [{ ...first, etcd: { ...first.etcd, dataDir: '/data/etcd' } }, ...rest] };
  assert.notDeepEqual(
    decisiveParts(moved, drawPlan(facts({ cluster: moved }))),
    decisiveParts(CLUSTER, drawPlan(facts())),
  );
});
