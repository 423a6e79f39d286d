import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfiguration, resolveCluster } from '../../../domain/configuration/resolve.ts';
import { parseDurationMs } from '../../../domain/values.ts';
import { SalvorError } from '../../../domain/errors.ts';

function resolved(cluster: object) {
  const stores = { local: { type: 'filesystem', path: '/a' }, second: { type: 'filesystem', path: '/b' } };
  return resolveCluster(
    parseConfiguration({ stores, clusters: { lab: { stores: ['second', 'local'], ...cluster } } }, 'test'),
    'lab',
  );
}

const etcd = { service: { systemd: 'etcd' } };

describe('a cluster of the configuration', () => {
  it('gets its stores in the order in which they are to be read', () => {
    const cluster = resolved({ flavour: 'kubeadm', nodes: [{ name: 'm1', address: '10.0.0.1' }] });
    assert.deepEqual(
      cluster.stores.map((store) => store.name),
      ['second', 'local'],
    );
  });

  it('gets the defaults of kubeadm', () => {
    const { nodes, compression } = resolved({ flavour: 'kubeadm', nodes: [{ name: 'm1', address: 'fd00::1' }] });
    assert.equal(compression, 'zstd');
    assert.deepEqual(nodes, [
      {
        name: 'm1',
        address: 'fd00::1',
        connection: 'local',
        etcd: {
          memberName: 'm1',
          clientUrl: 'https://[fd00::1]:2379',
          peerUrl: 'https://[fd00::1]:2380',
          dataDir: '/var/lib/etcd',
        },
        apiServer: { url: 'https://[fd00::1]:6443' },
      },
    ]);
  });

  it('has no kube-apiserver when it is etcd alone, and speaks http without certificates', () => {
    const [node] = resolved({ flavour: 'etcd', nodes: [{ name: 'm1', address: 'a.example', etcd }] }).nodes;
    assert.equal(node?.apiServer, undefined);
    assert.equal(node?.etcd.clientUrl, 'http://a.example:2379');
  });

  it('has the commands that the presets stand for', () => {
    const [node] = resolved({
      flavour: 'services',
      nodes: [{ name: 'm1', address: '10.0.0.1', etcd, apiServer: { service: { docker: 'api' } } }],
    }).nodes;
    assert.deepEqual(node?.etcd.service?.status, ['systemctl', 'is-active', 'etcd']);
    assert.deepEqual(node?.apiServer?.service?.stop, ['docker', 'stop', 'api']);
    for (const preset of [{ docker: 'etcd' }, { podman: 'etcd' }, { nerdctl: 'etcd' }]) {
      const [program] = Object.keys(preset);
      const [contained] = resolved({
        flavour: 'etcd',
        nodes: [{ name: 'm1', address: '10.0.0.1', etcd: { service: preset } }],
      }).nodes;
      assert.deepEqual(contained?.etcd.service?.start, [program, 'start', 'etcd']);
      const status = contained?.etcd.service?.status.join(' ');
      assert.equal(status, `${program} container inspect --format={{.State.Status}} etcd`);
    }
  });

  it('can stand in a history: it survives JSON unchanged', () => {
    const cluster = resolved({ flavour: 'kubeadm', nodes: [{ name: 'm1', address: '10.0.0.1' }] });
    assert.deepEqual(JSON.parse(JSON.stringify(cluster)), cluster);
  });

  for (const name of ['prod', 'constructor', '__proto__', '']) {
    it(`that is not there is refused with the names there are: ${JSON.stringify(name)}`, () => {
      const configuration = parseConfiguration({ stores: {}, clusters: {} }, 'test');
      assert.throws(
        () => resolveCluster(configuration, name),
        (error) =>
          error instanceof SalvorError && error.type === 'UnknownCluster' && /there are: none/.test(error.message),
      );
    });
  }
});

describe('a duration', () => {
  for (const [text, expected] of [
    ['90s', 90_000],
    ['10m', 600_000],
    ['6h', 21_600_000],
    ['30d', 2_592_000_000],
    ['2w', 1_209_600_000],
    ['6', undefined],
    ['-6h', undefined],
    ['1.5h', undefined],
    ['6h ', undefined],
    ['6 h', undefined],
    ['h', undefined],
  ] as const) {
    it(`${JSON.stringify(text)} is ${expected ?? 'refused'}`, () => assert.equal(parseDurationMs(text), expected));
  }
});
