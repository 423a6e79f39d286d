import type { Catalogue } from '../../../domain/backups/found-backup.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeFigures } from '../../../domain/backups/figures.ts';
import type { FoundBackup, LocatedObject } from '../../../domain/backups/found-backup.ts';
import type { Proof } from '../../../domain/format/manifest.ts';

function object(store: string, key: string, bytes: number): LocatedObject {
  return { store, key, bytes, kind: 'snapshot', modifiedAt: new Date(0) };
}

interface Given {
  backup: string;
  state?: FoundBackup['entry']['state'];
  stores?: string[];
  missing?: string[];
  proof?: { proof: Proof; store: string };
}

function backup({ backup, state = 'complete', stores = ['a', 'b'], missing = [], proof }: Given): FoundBackup {
  const takenAt = `2026-11-${backup}T00:00:00.000Z`;
  return {
    entry: {
      backup,
      takenAt,
      node: 'm1',
      state,
      revision: '1',
      proof: proof?.proof ?? 'readBack',
      pinned: false,
      stores,
      bytes: 100,
    },
    nodeAddress: '10.0.0.1',
    ...(proof && {
      verified: {
        formatVersion: 1,
        backup,
        cluster: 'prod',
        node: { address: '10.0.0.1' },
        verifiedAt: takenAt,
        checks: [],
        durationMs: 1,
        ...proof,
      },
    }),
    objects: stores.map((store) => object(store, `snapshot-${backup}`, 100)),
    problems: [],
    missing: missing.map((store) => ({ store, kind: 'snapshot', key: `snapshot-${backup}` })),
  };
}

function figuresOf(store: string, entries: FoundBackup[], orphans: LocatedObject[] = []) {
  const catalogue: Catalogue = { cluster: 'prod', entries, orphans, unreadable: [] };
  const [figures] = storeFigures(catalogue, [store]);
  assert.ok(figures);
  return figures;
}

test('a store without anything has no newest backup', () => {
  const figures = figuresOf('a', []);
  assert.equal(figures.newest, undefined);
  assert.equal(figures.newestProven, undefined);
  assert.equal(figures.bytes, 0);
});

test('the newest backup of a store is the newest that is whole there: not broken, foreign, or without its copy', () => {
  const entries = [
    backup({ backup: '24', state: 'degraded', stores: ['b'], missing: ['a'] }),
    backup({ backup: '23', state: 'broken' }),
    backup({ backup: '22', state: 'foreign' }),
    backup({ backup: '21', state: 'degraded', missing: ['b'] }),
    backup({ backup: '20' }),
  ];
  assert.equal(figuresOf('a', entries).newest?.takenAt.toISOString(), '2026-11-21T00:00:00.000Z');
  assert.equal(figuresOf('b', entries).newest?.takenAt.toISOString(), '2026-11-24T00:00:00.000Z');
  assert.equal(figuresOf('a', entries).degradedCopies, 1);
  assert.deepEqual(figuresOf('a', entries).backups, { complete: 1, degraded: 1, foreign: 1, broken: 1 });
  assert.deepEqual(figuresOf('b', entries).backups, { complete: 1, degraded: 2, foreign: 1, broken: 1 });
});

test('a backup that has a part of it in the store, and misses another there, is not whole there', () => {
  const entries = [backup({ backup: '24', state: 'degraded', missing: ['a'] })];
  assert.equal(figuresOf('a', entries).newest, undefined);
});

test('a proof counts for the store that the drill read, and only from "restored" on', () => {
  const entries = [
    backup({ backup: '24', proof: { proof: 'hashed', store: 'a' } }),
    backup({ backup: '23', proof: { proof: 'served', store: 'b' } }),
    backup({ backup: '22', proof: { proof: 'restored', store: 'a' } }),
  ];
  assert.equal(figuresOf('a', entries).newestProven?.takenAt.toISOString(), '2026-11-22T00:00:00.000Z');
  assert.equal(figuresOf('b', entries).newestProven?.takenAt.toISOString(), '2026-11-23T00:00:00.000Z');
});

test('the bytes of a store are those of everything there, with what belongs to no backup', () => {
  const orphans = [object('a', 'left', 7), object('b', 'left', 70)];
  const entries = [backup({ backup: '24' }), backup({ backup: '23', stores: ['b'] })];
  assert.equal(figuresOf('a', entries, orphans).bytes, 107);
  assert.equal(figuresOf('b', entries, orphans).bytes, 270);
});
