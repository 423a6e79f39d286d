import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { healCopy } from '../../../adapters/catalogue/heal.ts';
import { manifestKey, snapshotKey, staticResourcesKey } from '../../../domain/format/keys.ts';
import { isFailure, signal } from '../../support/store-contract.ts';
import { keysOf, NODE, type StoredBackups, storedBackups, ZSTD } from '../../support/stored-backups.ts';

const ID = '20260101-000000';
const SNAPSHOT = snapshotKey('prod', NODE, ID, ZSTD);
const RESOURCES = staticResourcesKey('prod', NODE, ID, false);
const MANIFEST = manifestKey('prod', NODE, ID);

let root = '';
let stored: StoredBackups;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-heal-'));
});
after(() => rm(root, { recursive: true }));
beforeEach(async () => {
  stored = await storedBackups(root);
  await stored.backup(ID);
});

async function heal(to: string) {
  const { entries } = await stored.catalogue();
  const [found] = entries;
  assert.ok(found);
  const others = stored.stores().filter(({ name }) => name !== to);
  return await healCopy(found, stored.store(to), others, signal());
}

async function assertComplete(): Promise<void> {
  const [found] = (await stored.catalogue()).entries;
  assert.deepEqual([found?.entry.state, found?.entry.problem, found?.missing], ['complete', undefined, []]);
  assert.deepEqual(await stored.keys('offsite'), keysOf(ID).sort());
}

test('a store that lacks everything gets it all, the manifest last', async () => {
  for (const key of keysOf(ID)) await unlink(stored.pathIn('offsite', key));
  const healed = await heal('offsite');
  assert.deepEqual(
    healed.map(({ key, from }) => [key, from]),
    [SNAPSHOT, RESOURCES, MANIFEST].map((key) => [key, 'local']),
  );
  await assertComplete();
  assert.deepEqual(await heal('offsite'), [], 'a second time there is nothing to do');
});

test('a copy that was cut off is replaced, and so is one of the same size with other bytes', async () => {
  await truncate(stored.pathIn('offsite', SNAPSHOT), 3);
  await writeFile(stored.pathIn('offsite', RESOURCES), 'x'.repeat(`static-resources ${ID}`.length));
  assert.deepEqual(
    (await heal('offsite')).map(({ key }) => key),
    [SNAPSHOT, RESOURCES],
  );
  await assertComplete();
});

test('a store without the manifest is not believed: its copies are read again first', async () => {
  await unlink(stored.pathIn('offsite', MANIFEST));
  await writeFile(stored.pathIn('offsite', SNAPSHOT), 'x'.repeat(`snapshot ${ID}`.length));
  assert.deepEqual(
    (await heal('offsite')).map(({ key }) => key),
    [SNAPSHOT, MANIFEST],
  );
  await assertComplete();
});

test('a damaged manifest is replaced by a sound one', async () => {
  await writeFile(stored.pathIn('local', MANIFEST), '{"formatVersion": 1');
  assert.deepEqual(
    (await heal('local')).map(({ key, from }) => [key, from]),
    [[MANIFEST, 'offsite']],
  );
  await assertComplete();
});

test('a wrong copy stays when no other store has a better one: it may be the last', async () => {
  for (const store of ['local', 'offsite']) {
    await writeFile(stored.pathIn(store, SNAPSHOT), store[0]?.repeat(`snapshot ${ID}`.length) ?? '');
  }
  await assert.rejects(heal('offsite'), isFailure('ArtifactMissing', /no other store has a correct copy of/));
  assert.deepEqual(await stored.keys('offsite'), keysOf(ID).sort());
});

test('a lock on a wrong copy is told', async () => {
  await truncate(stored.pathIn('offsite', SNAPSHOT), 3);
  const [found] = (await stored.catalogue()).entries;
  assert.ok(found);
  const locked = { ...stored.store('offsite'), remove: async () => 'locked' as const };
  await assert.rejects(
    healCopy(found, locked, [stored.store('local')], signal()),
    isFailure('AccessDenied', /a lock prevents its removal/),
  );
});
