import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type AftercareFinding,
  bindingsFinding,
  kubeletsFinding,
  leaderFinding,
  missingNodesFinding,
  namesOf,
  readyFinding,
  requestsFinding,
  type SeenLease,
  type SeenNode,
} from '../../../domain/restore/aftercare.ts';
import { endpointsFinding, registrationsFinding, staleRegistrations } from '../../../domain/restore/api-addresses.ts';

const SINCE = '1000000';

function node(name: string, ready: SeenNode['ready'] = 'True', address = `10.0.0.${name.slice(1)}`): SeenNode {
  return { name, ready, addresses: [address, name] };
}

function lease(name: string, revision: string): SeenLease {
  return { name, revision, holder: `${name}-holder` };
}

function outcome({ state, detail }: AftercareFinding): string {
  return `${state}: ${detail}`;
}

describe('after a restore', () => {
  it('a kubelet has come back when its lease was renewed since, whatever the time on the node', () => {
    const nodes = [node('n1'), node('n2', 'Unknown'), node('n3')];
    const leases = [lease('n1', '1000001'), lease('n2', '1000000')];
    assert.equal(
      outcome(kubeletsFinding(nodes, leases, SINCE)),
      'listed: 2 of 3 have not renewed their leases since the restore: n2 (Ready Unknown), n3 (Ready True)',
    );
    assert.match(kubeletsFinding(nodes, leases, SINCE).advice ?? '', /kubectl delete node/);
    assert.equal(outcome(kubeletsFinding([node('n1')], leases, SINCE)), 'fine: 1 of 1 have renewed their leases');
    assert.equal(outcome(kubeletsFinding([], [], SINCE)), 'fine: there are no nodes');
    // Revisions are numbers: 9 is less than 1000000.
    assert.match(outcome(kubeletsFinding([node('n1')], [lease('n1', '9')], SINCE)), /^listed: 1 of 1/);
  });

  it('of the nodes that answer those that are not ready are listed', () => {
    const leases = [lease('n1', '1000001'), lease('n2', '1000002')];
    const nodes = [node('n1'), node('n2', 'False'), node('n3', 'Unknown')];
    assert.equal(outcome(readyFinding(nodes, leases, SINCE)), 'listed: not ready: n2 (Ready False)');
    assert.equal(outcome(readyFinding([node('n1')], leases, SINCE)), 'fine: 1 are ready');
  });

  it('a node of the configuration is known by name or address', () => {
    const configured = [
      { name: 'n1', address: '10.9.9.9' },
      { name: 'other', address: '10.0.0.2' },
      { name: 'n3', address: '10.0.0.3' },
    ];
    const seen = [node('n1'), node('n2')];
    assert.equal(
      outcome(missingNodesFinding(configured, seen, true)),
      'listed: no Node object: n3; they joined after the backup',
    );
    assert.equal(outcome(missingNodesFinding(configured.slice(0, 2), seen, true)), 'fine: all 2 are Nodes');
    assert.match(outcome(missingNodesFinding(configured, [], true)), /^listed: no Node object: n1, other, n3/);
    assert.match(
      outcome(missingNodesFinding(configured, [node('w1', 'True', '10.1.0.1')], false)),
      /^fine: none of them/,
    );
  });

  it('a lease that was given back is mended when somebody has taken it', () => {
    const name = 'kube-scheduler';
    const nobodys = { name, revision: '1000005', holder: undefined };
    assert.equal(
      outcome(leaderFinding(name, nobodys, SINCE, 'old')),
      'listed: no instance has taken its lease since it was released',
    );
    assert.equal(
      outcome(leaderFinding(name, lease('a', '1000006'), SINCE, 'old')),
      'mended: released the lease of old; a-holder leads and has renewed its lease',
    );
  });

  it('a controller is at work when it has renewed its lease', () => {
    const name = 'kube-scheduler';
    assert.equal(
      outcome(leaderFinding(name, lease('a', '1000005'), SINCE)),
      'fine: a-holder leads and has renewed its lease',
    );
    assert.equal(
      outcome(leaderFinding(name, lease('a', '77'), SINCE)),
      'listed: its lease, held by a-holder, has not been renewed since the restore',
    );
    assert.match(
      outcome(leaderFinding(name, undefined, SINCE)),
      /^not-checked: there is no lease kube-system\/kube-scheduler/,
    );
  });

  it('requests for certificates are listed with who asks', () => {
    assert.equal(outcome(requestsFinding([])), 'fine: none is pending');
    const request = { name: 'csr-1', signer: 'kubernetes.io/kubelet-serving', requester: 'system:node:n1' };
    assert.equal(
      outcome(requestsFinding([request])),
      'listed: 1 pending: csr-1 (kubernetes.io/kubelet-serving, by system:node:n1)',
    );
  });

  it('what is bound to nodes that do not exist is counted, and some are named', () => {
    assert.equal(outcome(bindingsFinding('pods', [], 'x')), 'fine: all are on existing nodes');
    const lost = Array.from({ length: 12 }, (_, index) => ({ name: `default/p${index}`, node: `gone${index % 2}` }));
    assert.match(
      outcome(bindingsFinding('pods', lost, 'x')),
      /^listed: 12 on 2 nodes that do not exist: default\/p0 on gone0, .*default\/p9 on gone1 and 2 more$/,
    );
    assert.match(outcome(bindingsFinding('pods', lost.slice(0, 1), 'x')), /^listed: 1 on 1 node that does not exist:/);
    assert.equal(namesOf([]), '');
  });

  it('a registration that nobody renewed is foreign or of a configured node', () => {
    const registrations = [
      { address: '10.0.0.1', revision: '1000001' },
      { address: '10.0.0.2', revision: '5' },
      { address: '10.0.0.9', revision: '5' },
      { address: '192.0.2.1', revision: '1000002' },
    ];
    const configured = ['1', '2'].map((last) => ({ name: `n${last}`, address: `10.0.0.${last}` }));
    const { foreign, own } = staleRegistrations(registrations, configured, SINCE);
    assert.deepEqual(
      foreign.map(({ address }) => address),
      ['10.0.0.9'],
    );
    assert.deepEqual(
      own.map(({ address }) => address),
      ['10.0.0.2'],
    );
    assert.equal(outcome(registrationsFinding(['a', 'b'], [], [])), 'fine: renewed by a, b');
    assert.equal(outcome(registrationsFinding([], [], [])), 'fine: there are none');
    assert.equal(outcome(registrationsFinding(['a'], ['c'], [])), 'mended: removed c; renewed by a');
    assert.equal(
      outcome(registrationsFinding(['a'], ['c'], ['b'])),
      'listed: removed c; not renewed since the restore: b',
    );
  });

  it('the addresses of the API are those of the kube-apiservers that have registered', () => {
    const what = 'Endpoints';
    assert.equal(outcome(endpointsFinding(what, ['a', 'b'], ['a', 'b'], ['b', 'a'])), 'fine: a, b');
    assert.equal(outcome(endpointsFinding(what, ['a', 'c'], ['a'], ['a'])), 'mended: a; c went');
    assert.equal(outcome(endpointsFinding(what, ['a', 'c'], ['a', 'c'], ['a'])), 'listed: no kube-apiserver at c');
    assert.equal(outcome(endpointsFinding(what, ['a'], ['a'], ['a', 'b'])), 'listed: b is lacking');
    assert.match(
      outcome(endpointsFinding(what, ['a'], ['a'], [])),
      /^not-checked: a; no kube-apiserver has registered/,
    );
  });
});
