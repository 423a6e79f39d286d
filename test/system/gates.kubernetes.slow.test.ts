/** The gates after a restore, on real kube-apiservers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createBackupActivities } from '../../activities/backups.ts';
import { createKubernetesGateActivities, type GateOrder } from '../../activities/kubernetes-gates.ts';
import { createTrialActivities } from '../../activities/trials.ts';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import { type Cluster, resolveCluster } from '../../domain/configuration/resolve.ts';
import type { SnapshotSource } from '../../domain/format/snapshot-source.ts';
import type { TrialResult } from '../../domain/restore/trial.ts';
import type { GateResult } from '../../domain/restore/gates.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import { bringUpPart, stopPart } from '../../playground/handle.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER, putKeys, startWorld, type World } from '../support/world.ts';

const { canary, watchProof } = createKubernetesGateActivities();
const operationId = '20261128-170000';

let world: World;
let cluster: Cluster;
before(async () => {
  world = await startWorld({ kubernetes: true });
  cluster = resolveCluster(await loadConfiguration(world.playground.configFile), PLAYGROUND_CLUSTER);
});
after(async () => await world.down());

/** Failures are expected here, and not worth a line each. */
function activity(): MockActivityEnvironment {
  return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => {}) });
}

async function sing(order: Partial<GateOrder> = {}): Promise<GateResult> {
  return await activity().run(canary, { cluster, node: 'm1', operationId, ...order });
}

async function prove(seenRevision: string | null, order: Partial<GateOrder> = {}): Promise<GateResult> {
  return await activity().run(watchProof, {
    cluster,
    node: 'm1',
    operationId,
    seenRevision,
    ...order,
  });
}

function core(): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromFile(world.playground.kubeconfig ?? '');
  return config.makeApiClient(CoreV1Api);
}

async function left(): Promise<string[]> {
  const labelSelector = 'app.kubernetes.io/managed-by=salvor';
  const { items } = await core().listNamespacedConfigMap({ namespace: 'kube-system', labelSelector });
  return items.map(({ metadata }) => metadata?.name ?? '');
}

async function liveRevision(): Promise<string> {
  const { header } = await world.etcd().kv.range({ key: Buffer.from('none') });
  return header.revision;
}

test('the canary is written, read and deleted through every kube-apiserver, and what an earlier try left goes with it', async () => {
  const metadata = { name: `salvor-canary-${operationId}-m2`, labels: { 'app.kubernetes.io/managed-by': 'salvor' } };
  await core().createNamespacedConfigMap({ namespace: 'kube-system', body: { metadata } });
  const results = await Promise.all(['m1', 'm2', 'm3'].map(async (node) => await sing({ node })));
  for (const { checked, seen } of results) {
    assert.equal(checked, true);
    assert.match(seen, /^wrote, read and deleted a config map at resource version \d+$/);
  }
  assert.deepEqual(await left(), []);
});

test('a kube-apiserver that is away, or whose etcd is, is tried again', async () => {
  await stopPart(world.playground, 'kube-apiserver-m3');
  await assert.rejects(sing({ node: 'm3' }), {
    type: 'ComponentStuck',
    nonRetryable: false,
    message: /^kube-apiserver of m3 \(https:.*\) can't write, read and delete .*ECONNREFUSED/,
  });
  await bringUpPart(world.playground, 'kube-apiserver-m3');
  await until('the canary sings again', async () => await sing({ node: 'm3' }).catch(() => undefined));
});

test('without credentials nothing is asked, and it is said which are missing', async () => {
  const { kubeconfig: _, ...without } = cluster;
  const expected = { checked: false, seen: 'not checked: no credentials; set kubeconfig' };
  assert.deepEqual(await sing({ cluster: without }), expected);
  assert.deepEqual(await prove('1', { cluster: without }), expected);
  const wrong = { ...cluster, kubeconfig: '/no/such/kubeconfig' };
  assert.match((await sing({ cluster: wrong })).seen, /^not checked: \/no\/such\/kubeconfig can't be read/);
  const isThis = { ...cluster, kubeconfig: world.playground.etcdTls.key };
  assert.match(
    (await sing({ cluster: isThis })).seen,
    /^not checked: .* has no current context with a cluster and a user$/,
  );
});

test('before a restore a watch from the past is taken, and the gate says what clients would miss', async () => {
  const revision = await liveRevision();
  await core().createNamespacedConfigMap({ namespace: 'kube-system', body: { metadata: { name: 'later' } } });
  await assert.rejects(prove(revision), {
    type: 'ComponentStuck',
    message: /does not refuse a watch from resource version \d+, .*it sends ADDED; expected 410/,
  });
  assert.deepEqual(await prove(null), {
    checked: false,
    seen: 'not checked: the revision was not raised: watches from before the restore do not end',
  });
});

test('after a restore every kube-apiserver refuses a watch from before it, and a new list and watch work', async () => {
  const { backup } = await world.run<BackupReport>('backup', { cluster: cluster.name });
  await putKeys(world.etcd(), 50, '/registry/salvor-test/');
  const revision = await liveRevision();

  // What the trial of it says beforehand.
  const source: SnapshotSource = await activity().run(createBackupActivities().findSnapshot, { cluster, backup });
  const trial: TrialResult = await activity().run(createTrialActivities().trialRestore, { cluster, source });
  const { changes, changesProblem } = trial;
  assert.ok(changes, changesProblem);
  const made = changes.types.find(({ type }) => type === 'salvor-test');
  assert.deepEqual([made?.vanish, made?.comeBack, made?.revert], [50, 0, 0]);
  assert.deepEqual(made?.examples.vanish.slice(0, 2), ['cm-0', 'cm-1']);
  assert.equal(changes.comeBack, 0);
  assert.ok(BigInt(changes.comparedAtRevision) >= BigInt(revision));

  const order = { cluster: cluster.name, confirm: cluster.name, approve: 'auto', backup };
  const report = await world.run<RestoreReport>('restore', order);
  assert.equal(report.outcome, 'restored');
  for (const node of ['m1', 'm2', 'm3']) {
    const { checked, seen } = await until(
      `${node} is proven`,
      async () => await prove(revision, { node }).catch(() => undefined),
    );
    assert.equal(checked, true);
    assert.match(
      seen,
      new RegExp(
        `^a watch from ${revision} is refused \\(.*too old.*\\); a write arrives at a watch from a new list at \\d+$`,
        'i',
      ),
    );
  }
  assert.deepEqual(await left(), []);
});
