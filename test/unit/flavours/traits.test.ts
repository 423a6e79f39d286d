/** What each flavour says of itself, and what follows from it elsewhere. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { flavourNode } from '../../../adapters/flavours/index.ts';
import { localHost } from '../../../adapters/hosts/local.ts';
import { staticResourcePaths } from '../../../domain/backups/static-resources.ts';
import {
  checkConfiguration,
  type Cluster,
  parseConfiguration,
  resolveCluster,
} from '../../../domain/configuration/resolve.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { type Flavour, FLAVOUR_NAMES, traitsOf } from '../../../domain/flavours/index.ts';
import { plannedNode } from '../../../domain/restore/steps.ts';

const ROOT = join(import.meta.dirname, '../../..');
const COMMANDS = { systemd: 'etcd' };

/** What follows of each, in one line: the configuration's defaults, what it must give, and what is done. */
const EXPECTED: Record<Flavour, Consequences> = {
  kubeadm: { url: 'https', apiServer: true, commands: [], paths: 6, controllers: true, acts: true },
  openshift: { url: 'https', apiServer: true, commands: [], paths: 0, controllers: false, acts: false },
  services: {
    url: 'http',
    apiServer: true,
    commands: ['etcd.service', 'apiServer.service'],
    paths: 0,
    controllers: false,
    acts: true,
  },
  etcd: { url: 'http', apiServer: false, commands: ['etcd.service'], paths: 0, controllers: false, acts: true },
};

interface Consequences {
  /** The scheme of a member's client URL, without `etcd.tls`. */
  url: 'http' | 'https';
  apiServer: boolean;
  /** What a node must have in the configuration. */
  commands: string[];
  /** How many paths a backup keeps of each node. */
  paths: number;
  /** Whether a restore stops and starts controllers. */
  controllers: boolean;
  /** Whether its components can be started and stopped. */
  acts: boolean;
}

function configurationOf(flavour: Flavour, node: object) {
  return {
    stores: { local: { type: 'filesystem', path: '/backups' } },
    clusters: { prod: { flavour, stores: ['local'], nodes: [{ name: 'm1', address: '10.0.0.1', ...node }] } },
  };
}

function clusterOf(flavour: Flavour): Cluster {
  const isKubernetes = traitsOf(flavour).kubernetes !== null;
  const node = { etcd: { service: COMMANDS }, ...(isKubernetes && { apiServer: { service: COMMANDS } }) };
  return resolveCluster(parseConfiguration(configurationOf(flavour, node), 'test'), 'prod');
}

function consequencesOf(flavour: Flavour): Consequences {
  const cluster = clusterOf(flavour);
  const [node] = cluster.nodes;
  assert.ok(node);
  const { problems = [] } = checkConfiguration(configurationOf(flavour, {}));
  return {
    url: node.etcd.clientUrl.startsWith('https:') ? 'https' : 'http',
    apiServer: plannedNode(flavour, node).hasApiServer,
    commands: problems.map(({ path }) => path.replace('clusters.prod.nodes.0.', '')),
    paths: staticResourcePaths(cluster).length,
    controllers: plannedNode(flavour, node).hasControllers,
    acts: canAct(cluster),
  };
}

function canAct(cluster: Cluster): boolean {
  const [node] = cluster.nodes;
  assert.ok(node);
  try {
    flavourNode(cluster, node, localHost('m1')).controlPlane();
    return true;
  } catch (error) {
    assert.ok(error instanceof SalvorError && error.type === 'InvalidConfiguration');
    return false;
  }
}

describe('a flavour', () => {
  test('is listed for people in the order in which it is documented', () => {
    assert.deepEqual(FLAVOUR_NAMES, ['kubeadm', 'openshift', 'services', 'etcd']);
  });

  for (const flavour of FLAVOUR_NAMES) {
    test(`${flavour}: what follows from its traits`, () => {
      assert.deepEqual(consequencesOf(flavour), EXPECTED[flavour]);
    });

    test(`${flavour}: its traits agree with each other and with what is done on its nodes`, () => {
      const { isBackupOnly, settlesBy, etcd, kubernetes } = traitsOf(flavour);
      assert.equal(canAct(clusterOf(flavour)), !isBackupOnly);
      if (etcd.clientCertificate !== null) assert.ok(etcd.hasTls, 'a certificate is for TLS');
      if (settlesBy === 'operators') assert.notEqual(kubernetes, null, 'operators are asked through Kubernetes');
      if (isBackupOnly) assert.equal(kubernetes?.joinInstruction ?? null, null, 'no member of it is replaced');
    });
  }

  test('of nodes that make their own member tells a person how, with the node and a healthy one', () => {
    const tell = traitsOf('kubeadm').kubernetes?.joinInstruction;
    const said = tell?.({ cluster: 'prod', node: { name: 'm3', address: '10.0.0.3' }, through: 'm1' });
    assert.match(said ?? '', /^m3 has no control plane yet.* On m1: `kubeadm token create --print-join-command/);
    assert.match(said ?? '', /on m3 with --apiserver-advertise-address 10\.0\.0\.3; then `salvor retry prod`$/);
  });
});

/** The playground builds worlds, and which one is a person's choice. */
const MAY_ASK = ['cli/commands/playground.ts'];

test('outside of the two rooms of the flavours nobody asks which one it is', async () => {
  const asks = /flavour\s*(?:===|!==)|\bcase '(?:kubeadm|openshift|services|etcd)'/;
  const found: string[] = [];
  for (const layer of ['domain', 'adapters', 'activities', 'workflows', 'workers', 'client', 'cli']) {
    for (const entry of await readdir(join(ROOT, layer), { recursive: true, withFileTypes: true })) {
      const path = relative(ROOT, join(entry.parentPath, entry.name));
      if (!entry.isFile() || MAY_ASK.includes(path) || /^(?:domain|adapters)\/flavours\//.test(path)) continue;
      for (const [index, line] of (await readFile(join(ROOT, path), 'utf8')).split('\n').entries())
        if (asks.test(line)) found.push(`${path}:${index + 1}: ${line.trim()}`);
    }
  }
  assert.deepEqual(found, []);
});
