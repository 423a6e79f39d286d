import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BackupOverride, requireSettled } from '../../../domain/backups/settled.ts';

const NOW = new Date('2026-11-23T12:00:00Z');
const change = (changedAt: string) => ({ path: '/etc/kubernetes/manifests/etcd.yaml', changedAt });

for (const { what, installedAt, lastChange, override = [], refused } of [
  { what: 'a day old and quiet', installedAt: '2026-11-22T11:59:59Z', lastChange: change('2026-11-23T11:54:00Z') },
  { what: 'of which nothing is known', installedAt: null, lastChange: null },
  { what: 'younger than a day', installedAt: '2026-11-22T12:00:01Z', lastChange: null, refused: /"young-cluster"/ },
  {
    what: 'younger than a day, overridden',
    installedAt: '2026-11-23T12:00:00Z',
    lastChange: null,
    override: ['young-cluster'],
  },
  {
    what: 'in the middle of a rollout',
    installedAt: null,
    lastChange: change('2026-11-23T11:55:01Z'),
    refused: /etcd\.yaml.*"rollout"/,
  },
  {
    what: 'in the middle of a rollout, with the other check overridden',
    installedAt: null,
    lastChange: change('2026-11-23T11:55:01Z'),
    override: ['young-cluster'],
    refused: /"rollout"/,
  },
  {
    what: 'in the middle of a rollout, overridden',
    installedAt: null,
    lastChange: change('2026-11-23T11:59:59Z'),
    override: ['rollout'],
  },
] satisfies {
  what: string;
  installedAt: string | null;
  lastChange: { path: string; changedAt: string } | null;
  override?: BackupOverride[];
  refused?: RegExp;
}[]) {
  test(`a cluster ${what} is ${refused ? 'refused' : 'backed up'}`, () => {
    const check = () => requireSettled('m1', { installedAt, lastChange }, NOW, override);
    if (refused) assert.throws(check, { type: 'ClusterNotReady', message: refused });
    else check();
  });
}

for (const { what, operators, override = [], refused } of [
  { what: 'all quiet', operators: ['False', 'False'] },
  {
    what: 'one rolling something out',
    operators: ['False', 'True'],
    refused: /operators kube-apiserver \(.*"rollout"/,
  },
  {
    what: 'one that does not know',
    operators: ['Unknown', 'False'],
    refused: /operators etcd \(Progressing is Unknown/,
  },
  { what: 'one rolling something out, overridden', operators: ['True', 'True'], override: ['rollout'] },
] satisfies { what: string; operators: string[]; override?: BackupOverride[]; refused?: RegExp }[]) {
  test(`a cluster with operators, ${what}, is ${refused ? 'refused' : 'backed up'}`, () => {
    const names = ['etcd', 'kube-apiserver'];
    const states = operators.map((progressing, index) => ({ operator: names[index] ?? '', progressing, message: '' }));
    const check = () =>
      requireSettled('the API', { installedAt: null, lastChange: null, operators: states }, NOW, override);
    if (refused) assert.throws(check, { type: 'ClusterNotReady', message: refused });
    else check();
  });
}
