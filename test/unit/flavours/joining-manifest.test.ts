import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { joiningManifest } from '../../../adapters/flavours/kubeadm/joining-manifest.ts';
import { readManifest } from '../../../adapters/flavours/kubeadm/manifest.ts';

/** As `kubeadm init` writes it, shortened. */
const MANIFEST = `apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/etcd.advertise-client-urls: https://10.0.0.3:2379
  labels:
    component: etcd
  name: etcd
  namespace: kube-system
spec:
  containers:
  - command:
    - etcd
    - --advertise-client-urls=https://10.0.0.3:2379
    - --cert-file=/etc/kubernetes/pki/etcd/server.crt
    - --data-dir=/var/lib/etcd
    - --initial-advertise-peer-urls=https://10.0.0.3:2380
    - --initial-cluster=n3=https://10.0.0.3:2380
    - --listen-client-urls=https://127.0.0.1:2379,https://10.0.0.3:2379
    - --listen-peer-urls=https://10.0.0.3:2380
    - --name=n3
    image: registry.k8s.io/etcd:3.6.4-0 # pinned
    name: etcd
  hostNetwork: true
`;

const INITIAL_CLUSTER = 'n1=https://10.0.0.1:2380,n3=https://10.0.0.9:2380';

function joining(manifest: string): string {
  const member = {
    name: 'n3',
    clientUrl: 'https://10.0.0.9:2379',
    peerUrl: 'https://10.0.0.9:2380',
    initialCluster: INITIAL_CLUSTER,
  };
  return joiningManifest(manifest, member, 'n3: etcd.yaml');
}

test('a member that joins at another address has the manifest that kubeadm join would write, and all else stays', () => {
  const text = joining(MANIFEST);
  const pod = parse(text) as {
    metadata: { annotations: Record<string, string> };
    spec: { containers: { command: string[] }[] };
  };
  assert.deepEqual(pod.spec.containers[0]?.command, [
    'etcd',
    '--advertise-client-urls=https://10.0.0.9:2379',
    '--cert-file=/etc/kubernetes/pki/etcd/server.crt',
    '--data-dir=/var/lib/etcd',
    '--initial-advertise-peer-urls=https://10.0.0.9:2380',
    `--initial-cluster=${INITIAL_CLUSTER}`,
    '--listen-client-urls=https://127.0.0.1:2379,https://10.0.0.9:2379',
    '--listen-peer-urls=https://10.0.0.9:2380',
    '--name=n3',
    '--initial-cluster-state=existing',
  ]);
  assert.deepEqual(pod.metadata.annotations, {
    'kubeadm.kubernetes.io/etcd.advertise-client-urls': 'https://10.0.0.9:2379',
  });
  assert.match(text, /image: registry\.k8s\.io\/etcd:3\.6\.4-0 # pinned/);
  assert.equal(joining(text), text, 'written again, nothing changes');
});

test('what etcd is started with is read from its manifest', () => {
  assert.equal(readManifest(MANIFEST, 'etcd', 'x').flags.get('--data-dir'), '/var/lib/etcd');
});

test('a file that is no manifest of etcd is refused', () => {
  for (const text of [
    '',
    'a: [',
    'spec: {containers: []}',
    MANIFEST.replace('name: etcd\n  hostNetwork', 'name: other\n  hostNetwork'),
  ]) {
    const refused = { type: 'UnsafeState', message: /n3: etcd\.yaml is not a manifest/ };
    assert.throws(() => joining(text), refused);
    assert.throws(() => readManifest(text, 'etcd', 'n3: etcd.yaml'), refused);
  }
});
