import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  changeOf,
  type ChangeKind,
  type Changes,
  type KeyVersion,
  openTally,
} from '../../../domain/restore/changes.ts';
import type { Flavour } from '../../../domain/flavours/index.ts';

const KEY = Buffer.from('/registry/configmaps/default/a');

function versionOf(changed: Partial<KeyVersion> = {}): KeyVersion {
  return { key: KEY, createRevision: '5', modRevision: '7', version: '2', ...changed };
}

function tallied(flavour: Flavour, keys: [ChangeKind, string][]): Changes {
  const tally = openTally(flavour);
  for (const [kind, key] of keys) tally.add(kind, Buffer.from(key));
  return tally.changes('9');
}

function many(count: number, prefix: string): [ChangeKind, string][] {
  return Array.from({ length: count }, (_, index) => ['vanish', `${prefix}${index}`]);
}

describe('a key', () => {
  it('that both have, written at the same revision, stays', () => {
    assert.equal(changeOf(versionOf(), versionOf()), undefined);
    assert.equal(changeOf(undefined, undefined), undefined);
  });

  it('vanishes, comes back, or reverts', () => {
    assert.deepEqual(changeOf(versionOf(), undefined), { kind: 'vanish', key: KEY });
    assert.deepEqual(changeOf(undefined, versionOf()), { kind: 'comeBack', key: KEY });
    for (const changed of [{ modRevision: '8' }, { createRevision: '6' }, { version: '3' }]) {
      assert.deepEqual(changeOf(versionOf(changed), versionOf()), { kind: 'revert', key: KEY });
    }
  });
});

describe('the changes of a restore', () => {
  it('are counted by type, what is lost most first, with noise apart', () => {
    const changes = tallied('kubeadm', [
      ['revert', '/registry/configmaps/default/a'],
      ['comeBack', '/registry/deployments/default/web'],
      ['vanish', '/registry/secrets/default/s'],
      ['vanish', '/registry/secrets/default/t'],
      ['revert', '/registry/secrets/default/u'],
      ['revert', '/registry/leases/kube-node-lease/m1'],
      ['vanish', '/registry/events/default/e'],
    ]);
    assert.deepEqual(changes, {
      comparedAtRevision: '9',
      vanish: 2,
      comeBack: 1,
      revert: 2,
      types: [
        {
          type: 'secrets',
          vanish: 2,
          comeBack: 0,
          revert: 1,
          examples: { vanish: ['default/s', 'default/t'], comeBack: [], revert: ['default/u'] },
        },
        {
          type: 'deployments',
          vanish: 0,
          comeBack: 1,
          revert: 0,
          examples: { vanish: [], comeBack: ['default/web'], revert: [] },
        },
        {
          type: 'configmaps',
          vanish: 0,
          comeBack: 0,
          revert: 1,
          examples: { vanish: [], comeBack: [], revert: ['default/a'] },
        },
      ],
      noise: { vanish: 1, comeBack: 0, revert: 1, types: ['events', 'leases'] },
    });
  });

  it('are keys when etcd is alone', () => {
    const { types, noise } = tallied('etcd', [
      ['vanish', '/registry/events/default/e'],
      ['vanish', 'compact_rev_key'],
    ]);
    assert.deepEqual(types[0]?.examples.vanish, ['/registry/events/default/e', 'compact_rev_key']);
    assert.equal(types.length, 1);
    assert.deepEqual(noise, { vanish: 0, comeBack: 0, revert: 0, types: [] });
  });

  it('fit into a history whatever their number is, and all are counted', () => {
    const names = Array.from({ length: 1_000 }, (_, type) =>
      many(30, `/registry/type${type}/default/${'x'.repeat(250)}-`),
    );
    const changes = tallied('kubeadm', names.flat());
    assert.equal(changes.vanish, 30_000);
    assert.equal(changes.types.length, 301);
    assert.equal(changes.types[0]?.type, 'other types');
    assert.equal(changes.types[0]?.vanish, 700 * 30);
    const size = Buffer.byteLength(JSON.stringify(changes));
    assert.ok(size < 120_000, `${size} bytes`);
  });

  it('name up to twenty of each', () => {
    const { types } = tallied('kubeadm', many(50, '/registry/configmaps/default/'));
    assert.equal(types[0]?.examples.vanish.length, 20);
    assert.equal(types[0]?.vanish, 50);
  });
});
