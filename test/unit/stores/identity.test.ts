import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readCatalogue } from '../../../adapters/catalogue/catalogue.ts';
import { checkStores } from '../../../adapters/stores/check-stores.ts';
import { recordPath } from '../../../adapters/stores/identity.ts';
import type { Store } from '../../../adapters/stores/store.ts';
import { filesystemStore } from '../../../adapters/stores/filesystem/store.ts';
import { bodyOf, isFailure, signal } from '../../support/store-contract.ts';
import { type StoredBackups, storedBackups } from '../../support/stored-backups.ts';

const ID = '20260101-000000';
let root: string;
let stored: StoredBackups;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-identity-'));
  stored = await storedBackups(root);
});
afterEach(async () => {
  await forget();
  await rm(root, { recursive: true });
});

const check = async () => await checkStores(stored.cluster, stored.stores(), undefined, signal());
/** As a worker that never saw these stores. */
async function forget(): Promise<void> {
  for (const store of stored.stores()) await rm(recordPath('prod', store), { force: true });
}

async function keysOf(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix, signal())) keys.push(key);
  return keys;
}

/** The disk of a store is not mounted: its directory is there, and empty. */
async function unmount(name: string): Promise<string> {
  const path = stored.pathIn(name, '');
  await rename(path, `${path.replace(/\/$/, '')}-elsewhere`);
  await mkdir(path);
  return path;
}

test('a store that was never seen gets its ID at the first check, which no list shows, and keeps it', async () => {
  assert.deepEqual((await check()).good, ['local', 'offsite']);
  const keys = await stored.keys('local');
  assert.deepEqual(keys, ['.salvor-store', 'prod/.salvor-store']);
  assert.deepEqual((await check()).good, ['local', 'offsite']);
  assert.deepEqual((await stored.catalogue()).entries, []);
});

test('an empty directory in the place of a store is not the store: the worker remembers', async () => {
  await check();
  await stored.backup(ID);
  const path = await unmount('local');
  const { good, failing } = await check();
  assert.deepEqual(good, ['offsite']);
  assert.match(failing[0]?.error ?? '', /has no \.salvor-store, expected .*Is the disk mounted/);
  const { unreadable } = await readCatalogue(stored.cluster, stored.stores(), signal());
  assert.deepEqual(
    unreadable.map(({ store }) => store),
    ['local'],
  );
  assert.deepEqual(await readdir(path), [], 'nothing was written to the wrong disk');
});

test('another worker is told by the other store, also of one that was exchanged for another', async () => {
  await check();
  await unmount('local');
  await forget();
  assert.deepEqual((await check()).good, ['offsite']);
  await stored.put('local', '.salvor-store', JSON.stringify({ formatVersion: 1, id: 'of-another-disk' }));
  const { failing } = await check();
  assert.match(failing[0]?.error ?? '', /is the store of-another-disk, expected/);
});

test('a store that is meant to take the place of a lost one does so with its ID', async () => {
  await check();
  await unmount('local');
  const { failing } = await check();
  const id = /put (\{.*?\}) there as \.salvor-store/.exec(failing[0]?.error ?? '')?.[1];
  assert.ok(id !== undefined, failing[0]?.error);
  await stored.put('local', '.salvor-store', id);
  assert.deepEqual((await check()).good, ['local', 'offsite']);
});

test('a cluster of the same store that another one shares is nothing to that one', async () => {
  await check();
  await unmount('local');
  await forget();
  const other = { ...stored.cluster, name: 'staging' };
  assert.deepEqual((await checkStores(other, stored.stores(), undefined, signal())).failing, []);
});

test('a linked directory below the root is refused by whatever is asked for', async () => {
  const path = stored.pathIn('local', '');
  const elsewhere = join(root, 'elsewhere');
  await mkdir(join(elsewhere, 'n'), { recursive: true });
  await writeFile(join(elsewhere, 'n', 'there.db'), 'x');
  await symlink(elsewhere, join(path, 'c'));
  const store = filesystemStore({ name: 'local', type: 'filesystem', path });
  const refused = isFailure('StoreMissing', /c is a symbolic link, and none is followed/);
  const asked = [
    async () => await store.put('c/n/new.db', bodyOf(1), { signal: signal() }),
    async () => await store.replace('c/n/there.db', Buffer.from('y'), signal()),
    async () => await store.get('c/n/there.db', signal()),
    async () => await store.read('c/n/there.db', signal()),
    async () => await store.head('c/n/there.db', signal()),
    async () => await store.remove('c/n/there.db', signal()),
    async () => await keysOf(store, 'c/'),
    async () => await keysOf(store, 'c/n/'),
  ];
  for (const ask of asked) await assert.rejects(ask, refused);
  assert.deepEqual(await readdir(join(elsewhere, 'n')), ['there.db']);
});

test('a linked file is no object, to whatever is asked for', async () => {
  const path = stored.pathIn('local', '');
  await mkdir(join(path, 'c'));
  await writeFile(join(path, 'c', 'real.db'), 'x');
  await symlink('real.db', join(path, 'c', 'latest.db'));
  const store = filesystemStore({ name: 'local', type: 'filesystem', path });
  assert.deepEqual(await keysOf(store, 'c/'), ['c/real.db']);
  assert.equal(await store.head('c/latest.db', signal()), undefined);
  assert.equal(await store.read('c/latest.db', signal()), undefined);
  assert.equal(await store.remove('c/latest.db', signal()), 'absent');
  await assert.rejects(store.get('c/latest.db', signal()), isFailure('ArtifactMissing', /latest/));
});
