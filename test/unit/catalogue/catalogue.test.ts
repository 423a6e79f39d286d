import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { chooseBackup, findBackup } from '../../../adapters/catalogue/catalogue.ts';
import { manifestKey, pinnedKey, snapshotKey, staticResourcesKey } from '../../../domain/format/keys.ts';
import { isFailure } from '../../support/store-contract.ts';
import {
  digestOf,
  keysOf,
  NODE,
  PLAIN,
  type StoredBackups,
  storedBackups,
  ZSTD,
} from '../../support/stored-backups.ts';

let root = '';
let stored: StoredBackups;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-catalogue-'));
});
after(() => rm(root, { recursive: true }));
beforeEach(async () => {
  stored = await storedBackups(root);
});

test('backups come newest first, each once, with what is known of them', async () => {
  const older = await stored.backup('20260101-000000');
  await stored.backup('20260102-030405');
  const { entries, unreadable, orphans } = await stored.catalogue();
  assert.deepEqual(
    entries.map(({ entry }) => entry),
    [
      {
        backup: '20260102-030405',
        takenAt: '2026-01-02T03:04:05.678Z',
        node: 'm1',
        state: 'complete',
        revision: '1234',
        proof: 'readBack',
        pinned: false,
        stores: ['local', 'offsite'],
        bytes: 24 + 32,
      },
      { ...entries[0]?.entry, backup: '20260101-000000' },
    ],
  );
  assert.deepEqual(entries[1]?.manifest, older);
  assert.equal(entries[1]?.objects.length, 6);
  assert.deepEqual([unreadable, orphans], [[], []]);
});

test('a missing copy, a copy of another size and a missing manifest make it degraded, and say where', async () => {
  const id = '20260101-000000';
  const key = snapshotKey('prod', NODE, id, ZSTD);
  await stored.backup(id);
  await unlink(stored.pathIn('local', staticResourcesKey('prod', NODE, id, false)));
  await truncate(stored.pathIn('offsite', key), 5);
  await unlink(stored.pathIn('offsite', manifestKey('prod', NODE, id)));
  const [found] = (await stored.catalogue()).entries;
  assert.equal(found?.entry.state, 'degraded');
  assert.deepEqual(
    found?.missing.map(({ store, kind }) => `${store} ${kind}`),
    ['local static-resources', 'offsite snapshot', 'offsite manifest'],
  );
  assert.match(
    found?.entry.problem ?? '',
    /snapshot in offsite has 5 bytes, expected 24; local lacks static-resources; offsite lacks snapshot; offsite lacks the manifest/,
  );
  assert.deepEqual(findBackup(await stored.catalogue(), id).stores, ['local']);
});

test('an artifact that no store has makes it broken, and it is never the latest', async () => {
  await stored.backup('20260101-000000');
  await stored.backup('20260102-000000');
  for (const store of ['local', 'offsite'])
    await unlink(stored.pathIn(store, snapshotKey('prod', NODE, '20260102-000000', ZSTD)));
  const found = await stored.catalogue();
  assert.deepEqual(
    found.entries.map(({ entry }) => entry.state),
    ['broken', 'complete'],
  );
  assert.equal(findBackup(found, 'latest').backup, '20260101-000000');
  assert.throws(() => findBackup(found, '20260102-000000'), isFailure('ArtifactMissing', /no store has snapshot/));
});

test('a manifest that one store has damaged is read from the other; damaged in both it is broken', async () => {
  const id = '20260101-000000';
  await stored.backup(id);
  await stored.put('local', manifestKey('prod', NODE, id), '{"formatVersion": 1');
  const [once] = (await stored.catalogue()).entries;
  assert.equal(once?.entry.state, 'degraded');
  assert.match(once?.entry.problem ?? '', /backup-20260101-000000\.json in store "local" is not JSON/);
  await stored.put('offsite', manifestKey('prod', NODE, id), '{"formatVersion": 2}');
  const found = await stored.catalogue();
  assert.equal(found.entries[0]?.entry.state, 'broken');
  assert.throws(() => findBackup(found, id), isFailure('BackupCorrupt', /not a manifest of format 1/));
});

test('the last drill’s proof counts, the failed one’s as well, wherever it lies', async () => {
  const id = '20260101-000000';
  await stored.backup(id);
  await stored.drill('offsite', id, '2026-01-05T00:00:00Z', 'served');
  await stored.drill('local', id, '2026-01-04T00:00:00Z', 'restored');
  assert.equal((await stored.catalogue()).entries[0]?.entry.proof, 'served');
  await stored.drill('local', id, '2026-01-06T00:00:00Z', 'hashed', false);
  const [found] = (await stored.catalogue()).entries;
  assert.equal(found?.entry.proof, 'hashed');
  assert.match(found?.entry.problem ?? '', /the last drill failed: keys: 5 keys/);
});

test('a pin in any store pins', async () => {
  await stored.backup('20260101-000000');
  await stored.put('offsite', pinnedKey('prod', NODE, '20260101-000000'), '{}');
  assert.equal((await stored.catalogue()).entries[0]?.entry.pinned, true);
});

test('snapshots of an older script and of OpenShift are found, and restored only by name', async () => {
  await stored.put('local', snapshotKey('prod', NODE, '20260103-000000', PLAIN), 'script');
  await stored.put('local', `prod/${NODE}/backup-dir/snapshot_2026-01-02_101112.db`, 'openshift');
  await stored.put('local', `prod/${NODE}/backup-dir/static_kuberesources_2026-01-02_101112.tar.gz`, 'resources');
  await stored.put('local', `prod/10.0.0.9/notes.txt`, 'not a backup');
  await stored.put('local', `other/${NODE}/snapshot-20260103-000000.db`, 'of another cluster');
  const found = await stored.catalogue();
  assert.deepEqual(
    found.entries.map(({ entry: { backup, state, proof, bytes, revision } }) => ({
      backup,
      state,
      proof,
      bytes,
      revision,
    })),
    [
      { backup: '20260103-000000', state: 'foreign', proof: null, bytes: 6, revision: null },
      { backup: '20260102-101112', state: 'foreign', proof: null, bytes: 18, revision: null },
    ],
  );
  assert.deepEqual(findBackup(found, '20260102-101112'), {
    backup: '20260102-101112',
    takenAt: '2026-01-02T10:11:12.000Z',
    key: `prod/${NODE}/backup-dir/snapshot_2026-01-02_101112.db`,
    compression: 'none',
    encrypted: false,
    stores: ['local'],
    proof: null,
    state: 'foreign',
  });
  assert.throws(
    () => findBackup(found, 'latest'),
    isFailure('UnknownBackup', /no good backup; the newest are 20260103-000000 \(foreign\)/),
  );
});

test('what an interrupted backup left is an orphan, not a backup', async () => {
  const key = snapshotKey('prod', NODE, '20260103-000000', ZSTD);
  await stored.put('local', key, 'half a backup');
  await stored.backup('20260101-000000');
  const stray = snapshotKey('prod', NODE, '20260101-000000', PLAIN);
  await stored.put('offsite', stray, 'not in the manifest');
  const { entries, orphans } = await stored.catalogue();
  assert.equal(entries.length, 1);
  assert.deepEqual(
    orphans.map(({ store, key }) => ({ store, key })),
    [
      { store: 'local', key },
      { store: 'offsite', key: stray },
    ],
  );
});

test('a store that can’t be read is named, its copies are believed, and the others are listed', async () => {
  await stored.backup('20260101-000000');
  await rm(stored.pathIn('offsite', ''), { recursive: true });
  const found = await stored.catalogue();
  assert.deepEqual(
    found.unreadable.map(({ store }) => store),
    ['offsite'],
  );
  assert.match(found.unreadable[0]?.error ?? '', /is not a directory; create it/);
  assert.equal(found.entries[0]?.entry.state, 'complete');
  assert.deepEqual(findBackup(found, 'latest').stores, ['local', 'offsite']);
  await rm(stored.pathIn('local', ''), { recursive: true });
  await assert.rejects(stored.catalogue(), isFailure('StoreMissing', /create it/));
});

test('an unknown backup is told together with the newest few', async () => {
  await stored.backup('20260101-000000');
  const found = await stored.catalogue();
  const named = /prod has no backup 20250101-000000; the newest are 20260101-000000 \(complete\)/;
  assert.throws(() => chooseBackup(found, '20250101-000000'), isFailure('UnknownBackup', named));
  assert.throws(
    () => chooseBackup({ ...found, entries: [] }, 'latest'),
    isFailure('UnknownBackup', /it has no backups at all/),
  );
});

test('a manifest that was replaced is read again', async () => {
  const id = '20260101-000000';
  await stored.backup(id);
  await stored.catalogue();
  await stored.backup(id, {
    etcd: { version: '3.6.16', clusterId: '1', memberId: '2', revision: '99999', totalKeys: 5, members: [] },
  });
  assert.equal((await stored.catalogue()).entries[0]?.entry.revision, '99999');
});

test('what a store’s own rules have pruned is not missing there; what they still want is', async () => {
  stored.retain('local', { keepLast: 2 });
  const ids = ['20260101-000000', '20260102-000000', '20260103-000000'];
  for (const id of ids) {
    const takenAt = `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}T00:00:00.000Z`;
    await stored.backup(id, { takenAt });
  }
  const removeFrom = async (store: string, id: string) => {
    for (const key of keysOf(id)) {
      await unlink(stored.pathIn(store, key));
    }
  };
  await removeFrom('local', '20260101-000000');
  const states = async () =>
    (await stored.catalogue()).entries.map(({ entry }) => `${entry.state} ${entry.stores.join('+')}`);
  assert.deepEqual(await states(), ['complete local+offsite', 'complete local+offsite', 'complete offsite']);
  await removeFrom('local', '20260102-000000');
  assert.deepEqual(await states(), ['complete local+offsite', 'degraded offsite', 'complete offsite']);
  await stored.put('local', pinnedKey('prod', NODE, '20260101-000000'), '{}');
  assert.deepEqual(
    await states(),
    ['complete local+offsite', 'degraded offsite', 'complete offsite'],
    'a pin brings nothing back',
  );
});

test('static resources of other nodes lie with those nodes and belong to the backup that names them', async () => {
  const id = '20260101-000000';
  const key = staticResourcesKey('prod', '10.0.0.2', id, false);
  const manifest = await stored.backup(id);
  const [first] = manifest.artifacts;
  assert.ok(first);
  const digest = digestOf('of m2');
  const artifacts = [
    ...manifest.artifacts,
    { ...first, kind: 'static-resources', node: 'm2', key, stored: digest } as const,
  ];
  await stored.backup(id, { artifacts });
  await stored.put('local', key, 'of m2');
  const [found] = (await stored.catalogue()).entries;
  assert.deepEqual(found?.missing, [{ store: 'offsite', kind: 'static-resources', key }]);
  await stored.put('offsite', key, 'of m2');
  const { entries, orphans } = await stored.catalogue();
  assert.equal(entries[0]?.entry.state, 'complete');
  assert.deepEqual(orphans, []);
});
