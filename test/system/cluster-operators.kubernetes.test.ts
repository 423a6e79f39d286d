/** What OpenShift's operators say before a backup, read from a real kube-apiserver that serves their type. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ApiextensionsV1Api, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { stringify } from 'yaml';
import { readOperators } from '../../adapters/kubernetes/cluster-operators.ts';
import { type ScratchApiServer, startScratchApiServer } from '../../adapters/kubernetes/objects/scratch-server.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import { createActivities } from '../../activities/index.ts';
import { failureMessageIn, failureTypeIn } from '../support/failures.ts';
import { startEtcdCluster, type TestCluster } from '../support/etcd-cluster.ts';
import { startTemporal, withWorker } from '../support/temporal.ts';
import { until } from '../support/until.ts';

const GROUP = { group: 'config.openshift.io', version: 'v1', plural: 'clusteroperators' };
const NAMES = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

let folder = '';
let etcd: TestCluster;
let server: ScratchApiServer;
let temporal: TestWorkflowEnvironment;
let kubeconfig = '';
let api: CustomObjectsApi;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'salvor-operators-'));
  etcd = await startEtcdCluster({ members: 1, directory: folder });
  server = await startScratchApiServer({
    etcdUrl: etcd.members[0]?.clientUrl ?? '',
    directory: join(folder, 'kube-apiserver'),
    registryPrefix: '/kubernetes.io',
    onWaiting: () => undefined,
    signal: AbortSignal.timeout(180_000),
  });
  kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf(server));
  temporal = await startTemporal();
  const configuration = new KubeConfig();
  configuration.loadFromFile(kubeconfig);
  api = configuration.makeApiClient(CustomObjectsApi);
  await define(configuration);
});
after(async () => {
  await temporal?.teardown();
  await server?.stop();
  await etcd?.stop();
  await rm(folder, { recursive: true });
});

function kubeconfigOf({ url, token }: ScratchApiServer): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

/** As OpenShift defines it, so far as it matters here: cluster-wide, with a status of its own. */
async function define(configuration: KubeConfig): Promise<void> {
  const schema = { openAPIV3Schema: { type: 'object', x_kubernetes_preserve_unknown_fields: true } };
  await configuration.makeApiClient(ApiextensionsV1Api).createCustomResourceDefinition({
    body: {
      metadata: {
        name: `${GROUP.plural}.${GROUP.group}`,
        annotations: { 'api-approved.kubernetes.io': 'https://github.com/openshift/api' },
      },
      spec: {
        group: GROUP.group,
        scope: 'Cluster',
        names: { plural: GROUP.plural, kind: 'ClusterOperator' },
        versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {} } }],
      },
    },
  });
}

async function create(name: string): Promise<void> {
  const body = { apiVersion: 'config.openshift.io/v1', kind: 'ClusterOperator', metadata: { name } };
  await until(`${name} can be created`, async () => {
    return await api.createClusterCustomObject({ ...GROUP, body }).then(
      () => true,
      () => false,
    );
  });
}

/** As the operator itself does it. */
async function report(name: string, status: 'True' | 'False', message: string): Promise<void> {
  const body = (await api.getClusterCustomObject({ ...GROUP, name })) as object;
  const condition = { type: 'Progressing', status, message, lastTransitionTime: new Date().toISOString() };
  const available = { type: 'Available', status: 'True', lastTransitionTime: new Date().toISOString() };
  await api.replaceClusterCustomObjectStatus({
    ...GROUP,
    name,
    body: { ...body, status: { conditions: [available, condition] } },
  });
}

async function backUp(override: string[]): Promise<BackupReport> {
  const store = await mkdtemp(join(folder, 'store-'));
  const configFile = join(folder, 'salvor.yaml');
  const clientUrl = etcd.members[0]?.clientUrl;
  await writeFile(
    configFile,
    stringify({
      stores: { local: { type: 'filesystem', path: store } },
      clusters: {
        prod: {
          flavour: 'openshift',
          stores: ['local'],
          kubeconfig,
          staticResources: { paths: [kubeconfig] },
          nodes: [{ name: 'm1', address: '127.0.0.1', connection: 'local', etcd: { clientUrl } }],
        },
      },
    }),
  );
  return await withWorker(temporal, createActivities(configFile, temporal.client), async (taskQueue) => {
    const options = { taskQueue, workflowId: `backup/${taskQueue}`, args: [{ cluster: 'prod', override }] };
    return (await temporal.client.workflow.execute('backup', options)) as BackupReport;
  });
}

test('a cluster without the operators of a control plane tells so, and that stops nothing', async () => {
  await create('etcd');
  const answer = await readOperators(kubeconfig, AbortSignal.timeout(60_000));
  assert.deepEqual(answer, {
    problem: 'it has no ClusterOperator kube-apiserver, kube-controller-manager, kube-scheduler',
  });
  for (const name of NAMES.slice(1)) await create(name);
});

test('an operator that has not said yet whether it is progressing does not count as settled', async () => {
  const answer = await readOperators(kubeconfig, AbortSignal.timeout(60_000));
  assert.ok('operators' in answer, JSON.stringify(answer));
  assert.deepEqual(
    answer.operators,
    NAMES.map((operator) => ({ operator, progressing: 'Unknown', message: '' })),
  );
});

test('while operators roll something out the backup is refused, naming them; it is taken when that is overridden, and when they have ended', async () => {
  for (const name of NAMES) await report(name, 'False', 'AsExpected');
  await report(
    'kube-apiserver',
    'True',
    'NodeInstallerProgressing: 2 nodes are at revision 7; 1 node is at revision 8',
  );
  await assert.rejects(backUp(['young-cluster']), (error) => {
    assert.equal(failureTypeIn(error), 'ClusterNotReady');
    const message = failureMessageIn(error);
    assert.match(
      message,
      /operators kube-apiserver \(Progressing is True: NodeInstallerProgressing: 2 nodes .* revision 8\)/,
    );
    assert.doesNotMatch(message, /etcd|scheduler/);
    return true;
  });
  assert.equal((await backUp(['young-cluster', 'rollout'])).state, 'complete');
  await report('kube-apiserver', 'False', 'AsExpected');
  assert.equal((await backUp(['young-cluster'])).state, 'complete');
});

test('a cluster that its own API says was just installed is not backed up yet', async () => {
  await assert.rejects(backUp([]), (error) => {
    return failureTypeIn(error) === 'ClusterNotReady' && /"young-cluster"/.test(failureMessageIn(error));
  });
});
