/** Where an etcd keeps its data, before a restore or a replacement puts new data there. */
import assert from 'node:assert/strict';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { flavourNode } from '../../adapters/flavours/index.ts';
import type { Host } from '../../adapters/hosts/host.ts';
import { localHost } from '../../adapters/hosts/local.ts';
import { checkNode } from '../../adapters/node-data/check-node.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { startEtcdCluster } from '../support/etcd-cluster.ts';
import { CLUSTER } from '../support/fake-activities.ts';

const host = localHost('m1');
const signal = AbortSignal.timeout(120_000);

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
});
after(async () => await rm(directory, { recursive: true }));

function nodeAt(dataDir: string): ClusterNode {
  const [node] = CLUSTER.nodes;
  assert.ok(node);
  return { ...node, etcd: { ...node.etcd, dataDir } };
}

async function refuseOtherPlace(cluster: Cluster, dataDir: string, at: Host): Promise<void> {
  await flavourNode(cluster, nodeAt(dataDir), at).refuseOtherPlace(signal);
}

describe('etcd under services', () => {
  /** Where an etcd with these flags has kept its data. */
  async function dataOfEtcd(...flags: string[]): Promise<string> {
    const cluster = await startEtcdCluster({ members: 1, directory, flags });
    await cluster.stop();
    assert.ok(cluster.members[0]);
    return cluster.members[0].dataDir;
  }

  test('with its log in its data directory, or with nothing left, may be given new data', async () => {
    const dataDir = await dataOfEtcd();
    await refuseOtherPlace(CLUSTER, dataDir, host);
    await rename(dataDir, `${dataDir}.lost`);
    await refuseOtherPlace(CLUSTER, dataDir, host);
  });

  test('with its log elsewhere may not: it would read the old log with the new data', async () => {
    const dataDir = await dataOfEtcd(`--wal-dir=${join(directory, 'wal')}`);
    const refused = { type: 'UnsafeState', message: /m1: .*has no "wal": etcd keeps its log outside .*--wal-dir/ };
    await assert.rejects(refuseOtherPlace(CLUSTER, dataDir, host), refused);
    await assert.rejects(checkNode(CLUSTER, nodeAt(dataDir), host, { bytes: 1 }, signal), refused);
  });
});

describe('etcd as a static pod', () => {
  const kubeadm = { ...CLUSTER, flavour: 'kubeadm' as const };
  /** A node with this manifest of etcd, moved out or not. */
  function nodeWith(manifest: string | undefined, folder = 'manifests'): Host {
    const path = `/etc/kubernetes/${folder}/etcd.yaml`;
    return { ...host, readText: async (asked) => await Promise.resolve(asked === path ? manifest : undefined) };
  }
  const manifest = (...flags: string[]) =>
    JSON.stringify({ spec: { containers: [{ name: 'etcd', command: ['etcd', ...flags] }] } });
  const refuse = async (at: Host) => await refuseOtherPlace(kubeadm, '/var/lib/etcd', at);

  test('whose manifest names the configured directory, or which has no manifest, may be given new data', async () => {
    await refuse(nodeWith(manifest('--data-dir=/var/lib/etcd')));
    await refuse(nodeWith(manifest()));
    await refuse(nodeWith(undefined));
  });

  test('whose manifest names another directory, or another one for the log, may not', async () => {
    for (const folder of ['manifests', 'salvor-stopped']) {
      await assert.rejects(refuse(nodeWith(manifest('--data-dir=/data/etcd'), folder)), {
        type: 'UnsafeState',
        message:
          /m1: etcd's data directory is \/data\/etcd in its manifest, but \/var\/lib\/etcd in the configuration; correct "dataDir"/,
      });
      await assert.rejects(refuse(nodeWith(manifest('--data-dir=/var/lib/etcd', '--wal-dir=/wal'), folder)), {
        type: 'UnsafeState',
        message: /etcd\.yaml sets --wal-dir/,
      });
    }
  });
});
