/**
 * Looking after a real cluster with what a restore brings back of the time before. Kubelets and controllers are played
 * by the test: they are their leases.
 */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CertificatesV1Api,
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  StorageV1Api,
  type V1Lease,
  V1MicroTime,
} from '@kubernetes/client-node';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { accessNode } from '../../adapters/kubernetes/api/access.ts';
import { lookAfterCluster } from '../../adapters/kubernetes/aftercare.ts';
import { readLeaderLease, releaseLeaderLease } from '../../adapters/kubernetes/leader-leases.ts';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import type { AftercareFinding } from '../../domain/restore/aftercare.ts';
import { type Cluster, resolveCluster } from '../../domain/configuration/resolve.ts';
import { PLAYGROUND_CLUSTER, startWorld, type World } from '../support/world.ts';

const signal = AbortSignal.timeout(900_000);
const GONE = '192.0.2.9';

let world: World;
let cluster: Cluster;
let config: KubeConfig;
before(async () => {
  world = await startWorld({ kubernetes: true });
  cluster = resolveCluster(await loadConfiguration(world.playground.configFile), PLAYGROUND_CLUSTER);
  config = new KubeConfig();
  config.loadFromFile(world.playground.kubeconfig ?? '');
});
after(async () => await world.down());

async function revisionNow(): Promise<string> {
  const { header } = await world.etcd().kv.range({ key: Buffer.from('none') });
  return header.revision;
}

async function found(since: string, waitMs = 0, of: Cluster = cluster): Promise<Record<string, AftercareFinding>> {
  const { found } = await lookAfterCluster(of, { sinceRevision: since, waitMs }, signal);
  return Object.fromEntries(found.map((finding) => [finding.what, finding]));
}

async function putLease(name: string, namespace: string): Promise<void> {
  const coordination = config.makeApiClient(CoordinationV1Api);
  await coordination.createNamespacedLease({
    namespace,
    body: { metadata: { name, namespace }, spec: { holderIdentity: `${name}-holder`, renewTime: new V1MicroTime() } },
  });
}

async function readLease(name: string, namespace: string): Promise<V1Lease> {
  return await config.makeApiClient(CoordinationV1Api).readNamespacedLease({ name, namespace });
}

async function renewLease(name: string, namespace: string): Promise<void> {
  const coordination = config.makeApiClient(CoordinationV1Api);
  const lease = await readLease(name, namespace);
  if (lease.spec) lease.spec.renewTime = new V1MicroTime();
  await coordination.replaceNamespacedLease({ name, namespace, body: lease });
}

/** A kube-apiserver that was there when the backup was made: its registration, under another address. */
async function registerGone(): Promise<void> {
  const etcd = world.etcd();
  const registration = await etcd.get('/registry/masterleases/192.0.2.1').buffer();
  assert.ok(registration);
  const text = registration.toString('latin1').replaceAll('192.0.2.1', GONE);
  await etcd.put(`/registry/masterleases/${GONE}`).value(Buffer.from(text, 'latin1')).exec();
}

test('a healthy cluster is fine, and what it has none of is said', async () => {
  const since = await revisionNow();
  const seen = await found(since, 60_000);
  assert.equal(seen['registrations of kube-apiservers']?.state, 'fine');
  assert.equal(
    seen['registrations of kube-apiservers']?.detail,
    'renewed by 192.0.2.1, 192.0.2.2, 192.0.2.3',
    JSON.stringify(seen),
  );
  for (const what of ['Endpoints default/kubernetes', 'EndpointSlices of default/kubernetes']) {
    assert.deepEqual(seen[what], { what, state: 'fine', detail: '192.0.2.1, 192.0.2.2, 192.0.2.3' });
  }
  assert.equal(seen['kube-scheduler']?.state, 'not-checked');
  assert.equal(seen['kubelets']?.detail, 'there are no nodes');
  assert.equal(seen['certificate signing requests']?.state, 'fine');
  assert.equal(seen['pods']?.state, 'fine');
});

test('what is left of the time before is removed, waited for or listed', async () => {
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespace({ body: { metadata: { name: 'kube-node-lease' } } }).catch(() => undefined);
  for (const name of ['m1', 'worker-1', 'worker-2']) {
    const status = { conditions: [{ type: 'Ready', status: 'True' }] };
    const node = await core.createNode({ body: { metadata: { name } } });
    node.status = status;
    await core.replaceNodeStatus({ name, body: node });
    await putLease(name, 'kube-node-lease');
  }
  await putLease('kube-controller-manager', 'kube-system');
  await putLease('kube-scheduler', 'kube-system');
  for (const [name, nodeName] of [
    ['lost', 'worker-9'],
    ['here', 'worker-1'],
    ['waiting', undefined],
  ] as const) {
    const spec = { containers: [{ name: 'c', image: 'none' }], ...(nodeName !== undefined && { nodeName }) };
    await core.createNamespacedPod({ namespace: 'default', body: { metadata: { name }, spec } });
  }
  for (const [name, nodeName] of [
    ['va-lost', 'worker-9'],
    ['va-here', 'worker-1'],
  ] as const) {
    const spec = { attacher: 'csi.example.com', nodeName, source: { persistentVolumeName: 'pv' } };
    await config.makeApiClient(StorageV1Api).createVolumeAttachment({ body: { metadata: { name }, spec } });
  }
  await config.makeApiClient(CertificatesV1Api).createCertificateSigningRequest({
    body: {
      metadata: { name: 'csr-test' },
      spec: {
        request: await certificateRequest(),
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth'],
      },
    },
  });
  await registerGone();

  // From here on is "since the restore".
  const since = await revisionNow();
  await renewLease('m1', 'kube-node-lease');
  await renewLease('kube-scheduler', 'kube-system');
  const comingBack = (async () => {
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    await renewLease('worker-1', 'kube-node-lease');
  })();
  const seen = await found(since, 45_000);
  await comingBack;

  assert.deepEqual(seen['registrations of kube-apiservers'], {
    what: 'registrations of kube-apiservers',
    state: 'mended',
    detail: `removed ${GONE}; renewed by 192.0.2.1, 192.0.2.2, 192.0.2.3`,
  });
  assert.equal(await world.etcd().get(`/registry/masterleases/${GONE}`).string(), null);
  for (const what of ['Endpoints default/kubernetes', 'EndpointSlices of default/kubernetes']) {
    assert.match(seen[what]?.detail ?? '', /^192\.0\.2\.1, 192\.0\.2\.2, 192\.0\.2\.3/, what);
    assert.notEqual(seen[what]?.state, 'listed', what);
  }
  assert.equal(seen['kube-scheduler']?.detail, 'kube-scheduler-holder leads and has renewed its lease');
  assert.equal(seen['kube-controller-manager']?.state, 'listed');
  assert.equal(
    seen['kubelets']?.detail,
    '1 of 3 have not renewed their leases since the restore: worker-2 (Ready True)',
  );
  assert.equal(seen['nodes that answer']?.detail, '2 are ready');
  assert.equal(seen['nodes of the configuration']?.detail, 'no Node object: m2, m3; they joined after the backup');
  assert.match(
    seen['certificate signing requests']?.detail ?? '',
    /^1 pending: csr-test \(kubernetes\.io\/kube-apiserver-client, by .+\)$/,
  );
  assert.equal(seen['pods']?.detail, '1 on 1 node that does not exist: default/lost on worker-9');
  assert.equal(seen['volume attachments']?.detail, '1 on 1 node that does not exist: va-lost on worker-9');
  for (const { state, advice } of Object.values(seen)) assert.equal(advice !== undefined, state === 'listed');
});

test('where every controller was stopped, the lease of one that ended is given back at once; elsewhere it is waited for', async () => {
  const name = 'kube-controller-manager';
  const lease = async () => (await readLease(name, 'kube-system')).spec;
  const since = await revisionNow();
  await found(since);
  assert.equal((await lease())?.holderIdentity, `${name}-holder`, 'services mind themselves');
  // The scheduler leads since, so its lease stays.
  await renewLease('kube-scheduler', 'kube-system');
  const seen = await found(since, 0, { ...cluster, flavour: 'kubeadm' });
  assert.equal((await lease())?.holderIdentity, undefined);
  assert.equal((await lease())?.leaseDurationSeconds, 1);
  assert.equal(seen[name]?.detail, 'no instance has taken its lease since it was released');
  assert.equal(seen['kube-scheduler']?.detail, 'kube-scheduler-holder leads and has renewed its lease');
});

test('a lease that is written meanwhile is not given back', async () => {
  const [node] = cluster.nodes;
  assert.ok(node);
  const access = await accessNode(cluster, node, signal);
  assert.ok('client' in access);
  const name = 'kube-scheduler';
  const read = await readLeaderLease(access, name);
  assert.ok(read);
  await renewLease(name, 'kube-system');
  await assert.rejects(releaseLeaderLease(access, name, read), { code: 409 });
  const { spec } = await readLease(name, 'kube-system');
  assert.equal(spec?.holderIdentity, `${name}-holder`);
});

test('what can not be looked at is said, and fails nothing', async () => {
  const { kubeconfig: _, ...without } = cluster;
  const since = await revisionNow();
  const seen = await found(since, 0, without);
  assert.equal(seen['nodes, controllers and certificates']?.detail, 'no credentials; set kubeconfig');
  const nowhere = cluster.nodes.map((node) => ({
    ...node,
    apiServer: { url: 'https://127.0.0.1:1' },
    etcd: { ...node.etcd, clientUrl: 'https://127.0.0.1:1' },
  }));
  const silent = await found(since, 1_000, { ...cluster, nodes: nowhere });
  assert.match(silent['registrations of kube-apiservers']?.detail ?? '', /no answer from etcd on node m3/);
  assert.match(
    silent['nodes, controllers and certificates']?.detail ?? '',
    /m3 \(https:\/\/127\.0\.0\.1:1\) can't be asked/,
  );
});

/** As the API wants it: PEM in base64. */
async function certificateRequest(): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=somebody',
    keys,
    signingAlgorithm: algorithm,
  });
  return Buffer.from(request.toString('pem')).toString('base64');
}
