import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SalvorError } from '../../../domain/errors.ts';
import type { MemberEntry, MemberState } from '../../../domain/members/member-entry.ts';
import {
  initialClusterOf,
  isInSync,
  planReplacement,
  type Replacement,
  type ReplacementWish,
} from '../../../domain/members/replacement.ts';
import { changingSteps } from '../../../domain/members/steps.ts';
import { remarksOf } from '../../../domain/members/replacement-remarks.ts';
import { CLUSTER } from '../../support/fake-activities.ts';

const ANSWERS: MemberState[] = ['healthy', 'unknown', 'corrupt'];

function entry(name: string, state: MemberState = 'healthy', change: Partial<MemberEntry> = {}): MemberEntry {
  const isListed = state !== 'missing';
  return {
    node: state === 'gone' || state === 'unknown' ? null : name,
    name,
    id: isListed ? `id-${name}` : null,
    peerUrls: isListed ? [`https://${name}:2380`] : [],
    state,
    seen: `seen of ${name}`,
    role: ANSWERS.includes(state) ? 'follower' : null,
    version: null,
    revision: null,
    dbSizeBytes: null,
    dbSizeInUseBytes: null,
    raftLag: null,
    alarms: [],
    hash: null,
    ...change,
  };
}

const leader = entry('m1', 'healthy', { role: 'leader' });

/** Decides for these members; those that answer are the votes that are there. */
function plan(entries: MemberEntry[], wish: Partial<ReplacementWish> = {}): Replacement {
  const voters = entries.filter(({ id, state, role }) => id !== null && state !== 'learner' && role !== 'learner');
  const up = voters.filter(({ state, role }) => ANSWERS.includes(state) || (state === 'moved' && role !== null));
  const quorum = { voters: voters.length, needed: Math.floor(voters.length / 2) + 1, up: up.length };
  return planReplacement(entries, quorum, { cluster: 'prod', ...wish });
}

function refusal(entries: MemberEntry[], wish: Partial<ReplacementWish> = {}): [type: string, message: string] {
  try {
    plan(entries, wish);
  } catch (error) {
    assert.ok(error instanceof SalvorError);
    return [error.type, error.message];
  }
  assert.fail('it was not refused');
}

describe('the member that is replaced', () => {
  const ILL: MemberState[] = [
    'stopped',
    'crash-looping',
    'silent',
    'corrupt',
    'not-started',
    'moved',
    'astray',
    'leaderless',
  ];
  for (const state of ILL) {
    test(`one that is ${state} is the one unhealthy member, named or not`, () => {
      const entries = [leader, entry('m2'), entry('m3', state)];
      for (const wish of [{}, { node: 'm3' }]) {
        const { node, remove, through } = plan(entries, wish);
        assert.equal(node, 'm3');
        assert.deepEqual(remove?.id, 'id-m3');
        assert.deepEqual(through, ['m2', 'm1'], 'the leader is asked last');
      }
    });
  }

  test('a learner that was never promoted is taken out without a look at the votes', () => {
    const { remove } = plan([leader, entry('m2'), entry('m3', 'learner', { role: 'learner' })]);
    assert.equal(remove?.isLearner, true);
  });

  test('a missing one is added, and nothing is removed', () => {
    assert.deepEqual(plan([leader, entry('m2'), entry('m3', 'missing')]), {
      node: 'm3',
      state: 'missing',
      seen: 'seen of m3',
      remove: null,
      through: ['m2', 'm1'],
    });
  });

  test('a node that stands in for one that the configuration has no more gets its member', () => {
    const { node, remove, seen } = plan([leader, entry('m2'), entry('m4', 'missing'), entry('m3', 'gone')]);
    assert.equal(node, 'm4');
    assert.equal(remove?.id, 'id-m3');
    assert.equal(seen, 'seen of m4; seen of m3');
  });

  test('a healthy one is replaced when it is named and meant', () => {
    const { node, remove } = plan([leader, entry('m2'), entry('m3')], { node: 'm1', healthy: true });
    assert.equal(node, 'm1');
    assert.equal(remove?.isLeader, true);
  });
});

describe('what is refused', () => {
  test('with quorum lost nothing is tried, and the way to a restore is shown', () => {
    const [type, message] = refusal([leader, entry('m2', 'stopped'), entry('m3', 'node-unreachable')]);
    assert.equal(type, 'NoHealthyMember');
    assert.match(message, /3 voting members and needs 2; 1 is there/);
    assert.match(message, /m2: stopped, m3: node-unreachable/);
    assert.match(message, /salvor restore prod --confirm prod/);
  });

  test('the same when no member answers at all', () => {
    assert.throws(
      () => planReplacement([entry('m1', 'stopped'), entry('m2', 'stopped')], null, { cluster: 'prod' }),
      (error: Error) => /no member of etcd answers/.test(error.message) && /salvor restore prod/.test(error.message),
    );
  });

  test('of two members neither can be taken from the other while one is down', () => {
    assert.match(refusal([leader, entry('m2', 'stopped')])[1], /2 voting members and needs 2; 1 is there/);
  });

  test('the only member is not replaced', () => {
    const [type, message] = refusal([leader], { node: 'm1', healthy: true });
    assert.equal(type, 'NoHealthyMember');
    assert.match(message, /of 1 voting members \(1 needed\) 0 would be left/);
  });

  test('a member without which quorum could be lost, with the arithmetic', () => {
    // The corrupt one still votes: it is needed for the quorum that there is.
    const quorum = { voters: 4, needed: 3, up: 3 };
    assert.throws(
      () => planReplacement([leader, entry('m3', 'corrupt')], quorum, { cluster: 'prod' }),
      (error: Error) =>
        /of 4 voting members \(3 needed\) 3 would be left, 2 of them needed, and 1 is healthy \(m1\)/.test(
          error.message,
        ),
    );
  });

  test('more than one unhealthy member, each with what ails it', () => {
    const five = [leader, entry('m2'), entry('m3'), entry('m4', 'stopped'), entry('m5', 'crash-looping')];
    const [type, message] = refusal(five, { node: 'm4' });
    assert.equal(type, 'UnsafeState');
    assert.match(message, /more than one member is unhealthy.*m4: stopped, m5: crash-looping/);
  });

  test('a healthy member, unless it is named and meant', () => {
    const all = [leader, entry('m2'), entry('m3')];
    assert.match(refusal(all)[1], /every member is healthy/);
    assert.match(refusal(all, { healthy: true })[1], /every member is healthy/);
    assert.match(refusal(all, { node: 'm2' })[1], /the member on m2 is healthy.*--healthy/);
  });

  test('a healthy member while another is not, whatever is meant', () => {
    const entries = [leader, entry('m2'), entry('m3', 'stopped')];
    assert.match(refusal(entries, { node: 'm2', healthy: true })[1], /m2 is healthy, and another is not: m3: stopped/);
  });

  test('a node that cannot be reached', () => {
    const [type, message] = refusal([leader, entry('m2'), entry('m3', 'node-unreachable')]);
    assert.equal(type, 'HostUnreachable');
    assert.match(message, /put another in its place in the configuration/);
  });

  test('a node that there is not', () => {
    assert.deepEqual(refusal([leader, entry('m2', 'stopped'), entry('m3')], { node: 'm9' }), [
      'InvalidInput',
      'no node is named "m9"; there are: m1, m2, m3',
    ]);
  });

  test('a member of no node, as long as no node stands in for it', () => {
    assert.match(refusal([leader, entry('m2'), entry('m3', 'gone')])[1], /in no configuration.*Put the node/);
  });

  test('one more member beside one that the configuration does not know', () => {
    const entries = [leader, entry('m2'), entry('m4', 'missing'), entry('m3', 'unknown')];
    assert.match(refusal(entries)[1], /no node of the configuration has, and it answers: m3/);
  });

  test('a member that is healthy at its old address, unless it is meant', () => {
    const moved = entry('m3', 'moved', { role: 'follower' });
    assert.match(refusal([leader, entry('m2'), moved])[1], /healthy at another address/);
    assert.equal(plan([leader, entry('m2'), moved], { node: 'm3', healthy: true }).node, 'm3');
  });
});

test('a learner is in sync when what it lacks is little of all there is', () => {
  const cases: [leader: string, learner: string, expected: boolean][] = [
    ['5', '0', false],
    ['5', '5', true],
    ['500', '480', false],
    ['500', '492', true],
    ['1000000', '998000', false],
    ['1000000', '999500', true],
  ];
  for (const [of, at, expected] of cases) assert.equal(isInSync(of, at), expected, `${at} of ${of}`);
});

test('the initial cluster names every present member, the new one as it will call itself', () => {
  const members = [
    { id: '1', name: 'm1', peerUrls: ['https://a:2380', 'https://b:2380'] },
    { id: '4', name: '', peerUrls: ['https://c:2380'] },
  ];
  assert.equal(
    initialClusterOf(members, { id: '4', name: 'm3' }),
    'm1=https://a:2380,m1=https://b:2380,m3=https://c:2380',
  );
});

test('what a node joins by itself is left to it, and only kubeadm has a kube-apiserver that stops', () => {
  const names = (kind: Parameters<typeof changingSteps>[0]) => changingSteps(kind).map(({ name }) => name);
  assert.deepEqual(names({ node: 'm3', stopsApiServer: true, joinsItself: true }), [
    'Remove the member',
    'Join the node with kubeadm',
    'Check the members',
  ]);
  const plain = names({ node: 'm3', stopsApiServer: false, joinsItself: false });
  const kubeadm = names({ node: 'm3', stopsApiServer: true, joinsItself: false });
  assert.deepEqual(
    kubeadm.filter((name) => !plain.includes(name)),
    ['Stop kube-apiserver', 'Start kube-apiserver', 'Check kube-apiserver', 'Start the controllers'],
  );
});

describe('what is left for a person', () => {
  const [, , node] = CLUSTER.nodes;
  assert.ok(node);
  const old = { name: 'm3', peerUrls: ['https://10.0.0.9:2380'] };
  const kubeadm = { ...CLUSTER, flavour: 'kubeadm' as const };
  const flags = (etcdServers: string, advertiseAddress: string) => ({
    path: '/etc/kubernetes/manifests/kube-apiserver.yaml',
    etcdServers,
    advertiseAddress,
  });

  test('nothing at the old address', () => {
    const same = { name: 'm3', peerUrls: ['https://10.0.0.3:2380'] };
    assert.deepEqual(remarksOf(CLUSTER, node, same, []), []);
    assert.deepEqual(
      remarksOf(kubeadm, node, same, [{ node: 'm3', flags: flags('https://127.0.0.1:2379', '10.0.0.3') }]),
      [],
    );
  });

  test('of kubeadm, each kube-apiserver that names the old address, and the object of a node of another name', () => {
    const remarks = remarksOf(kubeadm, node, { ...old, name: 'm9' }, [
      { node: 'm1', flags: flags('https://127.0.0.1:2379', '10.0.0.1') },
      { node: 'm2', flags: flags('https://127.0.0.1:2379,https://10.0.0.9:2379', '10.0.0.2') },
      { node: 'm3', flags: flags('https://127.0.0.1:2379', '10.0.0.9') },
    ]);
    assert.equal(remarks.length, 3);
    assert.match(remarks[0] ?? '', /^m2: .*10\.0\.0\.9.*put https:\/\/10\.0\.0\.3:2379 there/);
    assert.match(remarks[1] ?? '', /^m3: kube-apiserver advertises 10\.0\.0\.9/);
    assert.match(remarks[2] ?? '', /kubectl delete node m9/);
  });

  test('of services, that their flags are not seen', () => {
    assert.match(remarksOf(CLUSTER, node, old, []).join(), /names 10\.0\.0\.9 in --etcd-servers/);
  });

  test('a kube-apiserver that could not be looked at is named', () => {
    const remarks = remarksOf(kubeadm, node, old, [{ node: 'm2', flags: null, problem: 'no route to host' }]);
    assert.match(remarks.join(), /m2: .*could not be looked at.*no route to host/);
  });
});
