import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flavourNode } from '../../../adapters/flavours/index.ts';
import { localHost } from '../../../adapters/hosts/local.ts';
import type { Cluster } from '../../../domain/configuration/resolve.ts';
import { asideName, restorePaths } from '../../../domain/node-paths.ts';
import { countedInWords, setAsideAt } from '../../../domain/restore/set-aside.ts';
import { CLUSTER } from '../../support/fake-activities.ts';

const ID = '20261128-164014';
const DIRECTORY = '/var/lib/etcd';
const DATA = `${DIRECTORY}/member`;
const CONFIGURATION = '/etc/etcd.env';
const CERTIFICATE = '/etc/pki/etcd/peer.crt';
const NODE = { dataDir: DIRECTORY, files: [CONFIGURATION, CERTIFICATE] };

test('what a restore has set aside is known by its name', () => {
  const { setAside, abandoned } = restorePaths(DIRECTORY, ID);
  for (const [path, kind] of [
    [setAside, 'before'],
    [abandoned, 'abandoned'],
  ] as const) {
    const removing = `${DATA}.salvor-removing-${kind}-${ID}`;
    assert.deepEqual(setAsideAt(NODE, path), { path, kind, type: 'directory', operationId: ID, removing });
  }
});

test('what a replacement has set aside is known as well: data, configuration and certificates', () => {
  for (const [from, type] of [
    [DATA, 'directory'],
    [CONFIGURATION, 'file'],
    [CERTIFICATE, 'file'],
  ] as const) {
    const path = asideName(from, ID);
    const removing = `${from}.salvor-removing-replaced-${ID}`;
    assert.deepEqual(setAsideAt(NODE, path), { path, kind: 'replaced', type, operationId: ID, removing });
  }
});

test('what a killed removal has left is known, and is removed where it lies', () => {
  for (const path of [restorePaths(DIRECTORY, ID).setAside, asideName(DATA, ID), asideName(CERTIFICATE, ID)]) {
    const removing = setAsideAt(NODE, path)?.removing ?? '';
    assert.ok(removing.includes('.salvor-'), 'as everything that a host removes');
    const left = setAsideAt(NODE, removing);
    assert.equal(left?.path, removing);
    assert.equal(left?.removing, removing);
  }
});

test('the files that a replacement sets aside are those of its flavour', () => {
  const [node] = CLUSTER.nodes;
  assert.ok(node);
  const of = (flavour: Cluster['flavour'], configuration?: string) =>
    flavourNode(
      { ...CLUSTER, flavour },
      { ...node, etcd: { ...node.etcd, ...(configuration && { configuration }) } },
      localHost('this machine'),
    ).member.replacedFiles();
  assert.deepEqual(of('kubeadm'), [
    '/etc/kubernetes/salvor-stopped/etcd.yaml',
    '/etc/kubernetes/pki/etcd/server.crt',
    '/etc/kubernetes/pki/etcd/server.key',
    '/etc/kubernetes/pki/etcd/peer.crt',
    '/etc/kubernetes/pki/etcd/peer.key',
  ]);
  assert.deepEqual(of('services', CONFIGURATION), [CONFIGURATION]);
  assert.deepEqual(of('etcd', CONFIGURATION), [CONFIGURATION]);
  assert.deepEqual(of('etcd'), []);
});

test('what was found is counted in words', () => {
  const counted = (directories: number, files: number) =>
    countedInWords([
      ...Array.from({ length: directories }, () => ({ type: 'directory' }) as const),
      ...Array.from({ length: files }, () => ({ type: 'file' }) as const),
    ]);
  assert.equal(counted(6, 0), '6 directories');
  assert.equal(counted(1, 1), '1 directory and 1 file');
  assert.equal(counted(0, 4), '4 files');
});

test('nothing else is: neither the live directory, nor another one, nor what only begins or ends like it', () => {
  const { scratch, staged } = restorePaths(DIRECTORY, ID);
  for (const path of [
    DATA,
    `${DATA}/`,
    DIRECTORY,
    `${DIRECTORY}.before-restore-${ID}`,
    CONFIGURATION,
    `${CONFIGURATION}.before-restore-${ID}`,
    `/etc/other.env.before-replace-${ID}`,
    `${DATA}.salvor-removing-other-${ID}`,
    `${CONFIGURATION}.salvor-removing-before-${ID}`,
    scratch,
    staged,
    `${DATA}.before-restore-`,
    `${DATA}.before-restore-${ID}/`,
    `${DATA}.before-restore-${ID}/snap`,
    `${DATA}.before-restore-${ID}x`,
    `${DATA}.before-restore-x${ID}`,
    `${DATA}.before-restore-20261328-164014`,
    `${DATA}.before-restore-/../../../home/${ID}`,
    `${DATA}-2.before-restore-${ID}`,
    `/var/lib/etcd/other.before-restore-${ID}`,
    `/var/lib/x/../etcd/member.before-restore-${ID}`,
    `member.before-restore-${ID}`,
    `/${ID}`,
    '',
    '/',
  ]) {
    assert.equal(setAsideAt(NODE, path), undefined, path);
  }
});
