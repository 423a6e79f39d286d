import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { encryptionConfigurationPath, readApiServerFlags } from '../../../adapters/flavours/kubeadm/api-server.ts';
import { readManifest } from '../../../adapters/flavours/kubeadm/manifest.ts';
import { readSettling } from '../../../adapters/flavours/kubeadm/settling.ts';
import { localHost } from '../../../adapters/hosts/local.ts';

const signal = AbortSignal.timeout(60_000);
const host = localHost('m1');
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'salvor-kubeadm-'));
});
after(async () => await rm(folder, { recursive: true }));

function pod(flags: string, mounts: string, volumes: string): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: kube-apiserver, namespace: kube-system }
spec:
  containers:
    - name: kube-apiserver
      command: [kube-apiserver, --secure-port=6443${flags}]
      volumeMounts: [${mounts}]
  volumes: [${volumes}]
`;
}

/** What is read of a kube-apiserver with this manifest. */
function apiServer(manifest: string) {
  return readManifest(manifest, 'kube-apiserver', 'm1: kube-apiserver.yaml');
}

test('the encryption configuration is found where the static pod mounts it from', () => {
  const flag = ', --encryption-provider-config=/etc/kubernetes/enc/enc.yaml';
  const mounts = '{ name: k8s, mountPath: /etc/kubernetes }, { name: enc, mountPath: /etc/kubernetes/enc }';
  const volumes =
    '{ name: k8s, hostPath: { path: /etc/kubernetes } }, { name: enc, hostPath: { path: /srv/keys, type: Directory } }';
  assert.equal(encryptionConfigurationPath(apiServer(pod(flag, mounts, volumes))), '/srv/keys/enc.yaml');
  assert.equal(encryptionConfigurationPath(apiServer(pod('', mounts, volumes))), undefined);
  const file = '{ name: one, mountPath: /etc/kubernetes/enc/enc.yaml }';
  const its = '{ name: one, hostPath: { path: /srv/one.yaml } }';
  assert.equal(encryptionConfigurationPath(apiServer(pod(flag, file, its))), '/srv/one.yaml');
  for (const text of ['spec: 5', '{', '']) {
    assert.throws(() => apiServer(text), { type: 'UnsafeState', message: /kube-apiserver\.yaml/ });
  }
});

test('the flags of a kube-apiserver that a replacement asks for are read from its static pod', async () => {
  const nodeWith = (manifest: string | undefined) => ({
    ...host,
    readText: async (path: string) =>
      await Promise.resolve(path === '/etc/kubernetes/manifests/kube-apiserver.yaml' ? manifest : undefined),
  });
  const etcdServers = 'https://127.0.0.1:2379,https://10.0.0.9:2379';
  const flags = `, "--etcd-servers=${etcdServers}", --advertise-address=10.0.0.3`;
  const path = '/etc/kubernetes/manifests/kube-apiserver.yaml';
  assert.deepEqual(await readApiServerFlags(nodeWith(pod(flags, '', '')), signal), {
    path,
    etcdServers,
    advertiseAddress: '10.0.0.3',
  });
  assert.deepEqual(await readApiServerFlags(nodeWith(pod('', '', '')), signal), {
    path,
    etcdServers: null,
    advertiseAddress: null,
  });
  assert.equal(await readApiServerFlags(nodeWith(undefined), signal), null);
  await assert.rejects(readApiServerFlags(nodeWith('{'), signal), { type: 'UnsafeState', message: /m1: .*apiserver/ });
});

test('the age of a node is that of its oldest certificate, and a rollout shows in the manifest that was changed last', async () => {
  const directory = join(folder, 'kubernetes');
  assert.deepEqual(await readSettling(host, signal, directory), { installedAt: null, lastChange: null });
  for (const name of ['manifests', 'pki']) await mkdir(join(directory, name), { recursive: true });
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  for (const [name, notBefore] of [
    ['ca', '2026-11-20T08:00:00Z'],
    ['apiserver', '2026-11-23T08:00:00Z'],
  ] as const) {
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      notBefore: new Date(notBefore),
      notAfter: new Date('2036-01-01T00:00:00Z'),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    });
    await writeFile(join(directory, 'pki', `${name}.crt`), certificate.toString('pem'));
  }
  await writeFile(join(directory, 'pki', 'odd.crt'), 'no certificate');
  for (const [name, changedAt] of [
    ['etcd.yaml', '2026-11-22T10:00:00Z'],
    ['kube-apiserver.yaml', '2026-11-22T11:00:00Z'],
    ['left-over.bak', '2026-11-23T11:00:00Z'],
  ] as const) {
    const path = join(directory, 'manifests', name);
    await writeFile(path, '');
    await utimes(path, new Date(changedAt), new Date(changedAt));
  }
  assert.deepEqual(await readSettling(host, signal, directory), {
    installedAt: '2026-11-20T08:00:00.000Z',
    lastChange: {
      path: join(directory, 'manifests', 'kube-apiserver.yaml'),
      changedAt: '2026-11-22T11:00:00.000Z',
    },
  });
});
