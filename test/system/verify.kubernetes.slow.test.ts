/** Verifying backups of a real Kubernetes control plane: a kube-apiserver of the worker's own reads every object. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  ApiextensionsV1Api,
  ApiregistrationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
} from '@kubernetes/client-node';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import { fetchSnapshot } from '../../adapters/snapshots/fetch-snapshot.ts';
import { restoreSnapshot } from '../../adapters/snapshots/etcdutl.ts';
import { startScratchEtcd } from '../../adapters/etcd/scratch-member.ts';
import { locateEtcdutl } from '../../adapters/hosts/find.ts';
import { localHost } from '../../adapters/hosts/local.ts';
import { type Served, serveSnapshot } from '../../adapters/kubernetes/objects/serve.ts';
import { findBackup, readCatalogue } from '../../adapters/catalogue/catalogue.ts';
import { openStores } from '../../adapters/stores/open.ts';
import { resolveCluster } from '../../domain/configuration/resolve.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { VerifyReport } from '../../domain/operations/verify.ts';
import { bringUpPart, killWorker } from '../../playground/handle.ts';
import { failureTypeIn } from '../support/failures.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, startWorld, type World } from '../support/world.ts';

const GROUP = 'salvor.example.com';

let world: World;
let api: KubeConfig;
before(async () => {
  world = await startWorld({ kubernetes: true });
  api = new KubeConfig();
  api.loadFromFile(world.playground.nodes[0]?.kubeconfig ?? '');
});
after(async () => await world.down());

async function backUp(): Promise<string> {
  const { backup } = await world.run<BackupReport>('backup', { cluster });
  return backup;
}

/** A definition whose objects may be converted by a webhook that nobody can reach. */
async function define(plural: string, kind: string, convertible: boolean): Promise<void> {
  const schema = { openAPIV3Schema: { type: 'object', x_kubernetes_preserve_unknown_fields: true } };
  const version = (name: string, storage: boolean) => ({ name, served: true, storage, schema });
  const service = { name: 'conversion', namespace: 'default', path: '/convert' };
  await api.makeApiClient(ApiextensionsV1Api).createCustomResourceDefinition({
    body: {
      metadata: { name: `${plural}.${GROUP}` },
      spec: {
        group: GROUP,
        scope: 'Namespaced',
        names: { plural, kind },
        versions: convertible ? [version('v1', true), version('v2', false)] : [version('v1', true)],
        ...(convertible && {
          conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { service } } },
        }),
      },
    },
  });
  const custom = api.makeApiClient(CustomObjectsApi);
  for (let index = 0; index < 150; index += 1) {
    const body = { apiVersion: `${GROUP}/v1`, kind, metadata: { name: `${plural}-${index}` } };
    await until(`${plural} can be created`, async () => {
      return await custom
        .createNamespacedCustomObject({ group: GROUP, version: 'v1', namespace: 'default', plural, body })
        .then(() => true)
        .catch(() => false);
    });
  }
}

/** What the kube-apiserver of a drill counts in a backup. */
async function countsIn(backup: string): Promise<Served> {
  const signal = AbortSignal.timeout(180_000);
  const scratch = await mkdtemp(join(tmpdir(), 'salvor-counts-'));
  const configured = resolveCluster(await loadConfiguration(world.playground.configFile), cluster);
  const stores = await openStores(configured);
  try {
    const source = findBackup(await readCatalogue(configured, stores, signal), backup);
    const host = localHost('this machine');
    const file = join(scratch, 'snapshot.db');
    await fetchSnapshot(
      configured,
      source,
      async (body) => await host.write(file, body, { mode: 0o600, signal }),
      signal,
    );
    const dataDir = join(scratch, 'data');
    const peerUrl = 'http://127.0.0.1:2380';
    const initialCluster = [{ name: 'drill', peerUrl }];
    const order = { file, dataDir, memberName: 'drill', peerUrl, clusterToken: 'drill', initialCluster };
    await restoreSnapshot(host, await locateEtcdutl(host), order, signal);
    const etcd = await startScratchEtcd({ dataDir, signal });
    try {
      const directory = join(scratch, 'kube-apiserver');
      const served = await serveSnapshot({ etcdUrl: etcd.clientUrl, directory, registryPrefix: '/registry', signal });
      assert.ok('counts' in served, JSON.stringify(served));
      return served;
    } finally {
      await etcd.stop();
    }
  } finally {
    for (const store of stores) store.close();
    await rm(scratch, { recursive: true });
  }
}

test('a backup with custom resources, conversions and APIs of other servers is served, and nothing is left out or asked outside', async () => {
  const core = api.makeApiClient(CoreV1Api);
  for (let index = 0; index < 130; index += 1) {
    await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: `cm-${index}` } } });
  }
  await core.createNamespacedSecret({
    namespace: 'default',
    body: { metadata: { name: 's' }, stringData: { a: 'b' } },
  });
  await define('widgets', 'Widget', false);
  await define('gadgets', 'Gadget', true);
  await api.makeApiClient(ApiregistrationV1Api).createAPIService({
    body: {
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'metrics-server', namespace: 'kube-system' },
      },
    },
  });
  const backup = await backUp();
  const report = await world.run<VerifyReport>('verify', { cluster, backup });
  assert.equal(report.proof, 'served', JSON.stringify(report.checks));

  const { counts, objects, types, version } = await countsIn(backup);
  const seen = report.checks.find(({ name }) => name === 'a kube-apiserver reads every object')?.seen;
  assert.equal(seen, `${objects} objects of ${types} types, by kube-apiserver ${version}`);
  const live = {
    'v1/configmaps': (await core.listConfigMapForAllNamespaces()).items.length,
    'v1/secrets': (await core.listSecretForAllNamespaces()).items.length,
    'v1/namespaces': (await core.listNamespace()).items.length,
    'apiextensions.k8s.io/v1/customresourcedefinitions': 2,
    [`${GROUP}/v1/widgets`]: 150,
    [`${GROUP}/v1/gadgets`]: 150,
  };
  assert.ok(live['v1/configmaps'] >= 130);
  for (const [type, count] of Object.entries(live)) assert.equal(counts[type], count, type);
});

test('a worker killed while a kube-apiserver reads leaves two servers, which the retry ends', async () => {
  const handle = await world.start('verify', { cluster });
  const { runId } = await handle.describe();
  const running = async () => {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const lines = pids.map(
      async (pid) => [pid, await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')] as const,
    );
    return (await Promise.all(lines)).filter(([, line]) => line.includes(runId));
  };
  const pid = await until('the scratch kube-apiserver runs', async () => {
    return (await running()).find(([, line]) => line.includes('kube-apiserver\0'))?.[0];
  });
  // The drill can't go on without it, so the kill comes in its middle.
  process.kill(Number(pid), 'SIGSTOP');
  await killWorker(world.playground);
  assert.equal((await running()).length, 2, 'etcd and kube-apiserver outlive the worker');
  await bringUpPart(world.playground, 'worker');
  const report = (await handle.result()) as VerifyReport;
  assert.equal(report.proof, 'served');
  assert.deepEqual(await running(), []);
});

test('an object that no kube-apiserver can read is found, though etcd serves it', async () => {
  const key = '/registry/configmaps/default/unreadable';
  await world.etcd().put(key).value('no object').exec();
  const backup = await backUp();
  await world.etcd().delete().key(key).exec();
  await assert.rejects(
    world.run('verify', { cluster, backup }),
    (error) => failureTypeIn(error) === 'BackupCorrupt' && /configmaps/.test(String(causeOf(error))),
  );
  const { backups } = await world.run<{ backups: { backup: string; proof: string }[] }>('listBackups', { cluster });
  assert.equal(backups.find((entry) => entry.backup === backup)?.proof, 'restored', 'as far as it got');
});

test('objects that are encrypted at rest are not called corrupt: the proof stays at restored, and the check says what is lacking', async () => {
  const key = '/registry/secrets/default/encrypted';
  await world.etcd().put(key).value('k8s:enc:aescbc:v1:key1:0123456789abcdef').exec();
  const backup = await backUp();
  await world.etcd().delete().key(key).exec();
  const report = await world.run<VerifyReport>('verify', { cluster, backup });
  assert.equal(report.proof, 'restored');
  const check = report.checks.find(({ name }) => name === 'a kube-apiserver reads every object');
  assert.deepEqual([check?.ok, check?.skipped], [true, true]);
  assert.match(check?.seen ?? '', /encrypted at rest, and the scratch kube-apiserver has no EncryptionConfiguration/);
});

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? causeOf(error.cause) : error;
}
