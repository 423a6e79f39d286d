import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { readInstalledAt } from '../../adapters/kubernetes/installed-at.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import { stopPart } from '../../playground/handle.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, startWorld, type World } from '../support/world.ts';

let world: World;
before(async () => {
  world = await startWorld({ kubernetes: true });
});
after(async () => await world.down());

function core(node: string): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromFile(world.playground.nodes.find(({ name }) => name === node)?.kubeconfig ?? '');
  return config.makeApiClient(CoreV1Api);
}

async function configMaps(node: string): Promise<Record<string, string>> {
  const { items } = await core(node).listNamespacedConfigMap({
    namespace: 'default',
    labelSelector: 'salvor-test=yes',
  });
  return Object.fromEntries(items.map(({ metadata, data }) => [metadata?.name ?? '', data?.['value'] ?? '']));
}

async function putConfigMaps(prefix: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const metadata = { name: `${prefix}-${index}`, labels: { 'salvor-test': 'yes' } };
    await core('m1').createNamespacedConfigMap({
      namespace: 'default',
      body: { metadata, data: { value: `${prefix} ${index}` } },
    });
  }
}

test("the cluster's own API tells when it was installed; where it does not answer the reason is told", async () => {
  const { kubeconfig = '' } = world.playground;
  const answer = await readInstalledAt(kubeconfig, AbortSignal.timeout(30_000));
  assert.ok('installedAt' in answer, JSON.stringify(answer));
  const ageMs = Date.now() - Date.parse(answer.installedAt);
  assert.ok(ageMs > -1_000 && ageMs < 600_000, `${answer.installedAt} is a moment ago`);
  const problem = await readInstalledAt('/no/such/kubeconfig', AbortSignal.timeout(30_000));
  assert.ok('problem' in problem && /no such file/.test(problem.problem), JSON.stringify(problem));
});

test('deleted objects and a destroyed member are back after a restore, seen through every kube-apiserver', async () => {
  await putConfigMaps('before', 40);
  const wanted = await configMaps('m1');
  assert.equal(Object.keys(wanted).length, 40);
  const { backup } = await world.run<BackupReport>('backup', { cluster });

  await core('m1').deleteCollectionNamespacedConfigMap({ namespace: 'default', labelSelector: 'salvor-test=yes' });
  await putConfigMaps('after', 5);
  await stopPart(world.playground, 'etcd-m2');
  await rm(world.playground.nodes[1]?.dataDir ?? '', { recursive: true });

  const report = await world.run<RestoreReport>('restore', { cluster, confirm: cluster, approve: 'auto', backup });
  assert.equal(report.outcome, 'restored');
  for (const { name } of world.playground.nodes) {
    // Right after /readyz a kube-apiserver may still fill its caches.
    const seen = await until(`${name} lists config maps`, async () => await configMaps(name).catch(() => undefined));
    assert.deepEqual(seen, wanted);
  }
});

test('objects created after the restore have a higher resource version than any before it', async () => {
  const { metadata } = await core('m3').createNamespacedConfigMap({
    namespace: 'default',
    body: { metadata: { name: 'newest' } },
  });
  assert.ok(BigInt(metadata?.resourceVersion ?? '0') > 1_000_000n);
});
