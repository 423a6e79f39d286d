import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freeKey } from '../../../adapters/backup/free-key.ts';
import { filesystemStore } from '../../../adapters/stores/filesystem/store.ts';
import type { Store } from '../../../adapters/stores/store.ts';
import { signal } from '../../support/store-contract.ts';

const CLUSTER = { name: 'prod', compression: 'zstd' } as const;
const NODE = { address: '10.0.0.1' };
const NOW = new Date('2026-11-28T00:00:59.400Z');

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-free-key-'));
});
after(async () => await rm(root, { recursive: true }));

async function* content() {
  yield Buffer.from('x');
}

/** A store in which these are. */
async function directory(...keys: string[]): Promise<Store> {
  const store = filesystemStore({ name: 'local', type: 'filesystem', path: await mkdtemp(join(root, 'store-')) });
  for (const key of keys) await store.put(key, content(), { signal: signal() });
  return store;
}

async function chosen(...stores: Store[]) {
  return await freeKey(CLUSTER, NODE, stores, { now: () => NOW, signal: signal() });
}

test('a backup is called by its second', async () => {
  assert.deepEqual(await chosen(await directory()), {
    takenAt: '2026-11-28T00:00:59.400Z',
    backup: '20261128-000059',
    key: 'prod/10.0.0.1/snapshot-20261128-000059.db.zst',
  });
});

test('a name that one of the stores has is passed over', async () => {
  const taken = await directory('prod/10.0.0.1/snapshot-20261128-000059.db.zst');
  const later = await directory('prod/10.0.0.1/snapshot-20261128-000100.db.zst');
  assert.equal((await chosen(await directory(), taken, later)).backup, '20261128-000101');
});

test('so is that of a backup whose encoding was another', async () => {
  const other = await directory('prod/10.0.0.1/backup-20261128-000059.json');
  assert.equal((await chosen(other)).backup, '20261128-000100');
});

test('a store that can not be asked stands in no way', async () => {
  const silent = { ...(await directory()), head: async () => await Promise.reject(new Error('no answer')) };
  assert.equal((await chosen(silent, await directory())).backup, '20261128-000059');
});
