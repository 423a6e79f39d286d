import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { chooseBackup, findBackup, readCatalogue } from '../../../adapters/stores/catalogue.ts';
import { filesystemStore } from '../../../adapters/stores/filesystem.ts';
import type { Cluster } from '../../../domain/configuration/resolve.ts';
import { formatManifest, type Manifest, type Proof } from '../../../domain/manifest.ts';
import { manifestKey, pinnedKey, snapshotKey, staticResourcesKey, verifiedKey } from '../../../domain/names.ts';
import { formatVerified } from '../../../domain/verified.ts';
import { isFailure, signal } from '../../support/store-contract.ts';

const NODE = '10.0.0.1';
const PLAIN = { compression: 'none', encrypted: false } as const;
const ZSTD = { compression: 'zstd', encrypted: false } as const;

let root = '';
let cluster: Cluster;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-catalogue-'));
});
after(() => rm(root, { recursive: true }));
beforeEach(async () => {
  const folder = await mkdtemp(join(root, 'stores-'));
  const stores = ['local', 'offsite'].map((name) => ({ name, type: 'filesystem', path: join(folder, name) }) as const);
  for (const { path } of stores) await mkdir(path);
  const etcd = { memberName: 'm1', clientUrl: '', peerUrl: '', dataDir: '' };
  const nodes = [{ name: 'm1', address: NODE, connection: 'local', etcd } as const];
  cluster = { name: 'prod', flavour: 'etcd', stores, compression: 'zstd', schedules: {}, nodes };
});

function pathIn(store: string, key: string): string {
  const found = cluster.stores.find(({ name }) => name === store);
  assert.ok(found?.type === 'filesystem');
  return join(found.path, key);
}

async function put(store: string, key: string, text: string): Promise<void> {
  const path = pathIn(store, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

function digestOf(text: string) {
  return { bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') };
}

/** A whole backup of two artifacts in both stores. */
async function backup(id: string, change: Partial<Manifest> = {}): Promise<Manifest> {
  const stores = ['local', 'offsite'];
  const artifacts = [
    { kind: 'snapshot', key: snapshotKey('prod', NODE, id, ZSTD), compression: 'zstd' },
    { kind: 'static-resources', key: staticResourcesKey('prod', NODE, id, false), compression: 'gzip' },
  ] as const;
  const manifest: Manifest = {
    formatVersion: 1,
    salvor: '0.1.0',
    backup: id,
    cluster: 'prod',
    flavour: 'etcd',
    node: { name: 'm1', address: NODE },
    takenAt: '2026-01-02T03:04:05.678Z',
    etcd: { version: '3.6.16', clusterId: '1', memberId: '2', revision: '1234', totalKeys: 5, members: [] },
    intendedStores: stores.map((store) => ({ store, kinds: ['snapshot', 'static-resources'] })),
    artifacts: artifacts.map((artifact) => {
      const text = `${artifact.kind} ${id}`;
      return { ...artifact, encrypted: false, content: digestOf('x'), stored: digestOf(text), stores };
    }),
    ...change,
  };
  for (const store of stores) {
    for (const { kind, key } of artifacts) await put(store, key, `${kind} ${id}`);
    await put(store, manifestKey('prod', NODE, id), formatManifest(manifest));
  }
  return manifest;
}

async function drill(store: string, id: string, verifiedAt: string, proof: Proof, ok = true): Promise<void> {
  const node = { address: NODE };
  const checks = [{ name: 'keys', ok, seen: '5 keys' }];
  const verified = {
    formatVersion: 1,
    backup: id,
    cluster: 'prod',
    node,
    verifiedAt,
    proof,
    store,
    checks,
    durationMs: 1,
  } as const;
  await put(store, verifiedKey('prod', NODE, id), formatVerified(verified));
}

function catalogue() {
  return readCatalogue(
    cluster,
    cluster.stores.flatMap((store) => (store.type === 'filesystem' ? [filesystemStore(store)] : [])),
    signal(),
  );
}

test('backups come newest first, each once, with what is known of them', async () => {
  const older = await backup('20260101-000000');
  await backup('20260102-030405');
  const { entries, unreadable, orphans } = await catalogue();
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
  await backup(id);
  await unlink(pathIn('local', staticResourcesKey('prod', NODE, id, false)));
  await truncate(pathIn('offsite', key), 5);
  await unlink(pathIn('offsite', manifestKey('prod', NODE, id)));
  const [found] = (await catalogue()).entries;
  assert.equal(found?.entry.state, 'degraded');
  assert.deepEqual(
    found?.missing.map(({ store, kind }) => `${store} ${kind}`),
    ['local static-resources', 'offsite snapshot', 'offsite manifest'],
  );
  assert.match(
    found?.entry.problem ?? '',
    /snapshot in offsite has 5 bytes, expected 24; local lacks static-resources; offsite lacks snapshot; offsite lacks the manifest/,
  );
  assert.deepEqual(findBackup(await catalogue(), id).stores, ['local']);
});

test('an artifact that no store has makes it broken, and it is never the latest', async () => {
  await backup('20260101-000000');
  await backup('20260102-000000');
  for (const store of ['local', 'offsite'])
    await unlink(pathIn(store, snapshotKey('prod', NODE, '20260102-000000', ZSTD)));
  const found = await catalogue();
  assert.deepEqual(
    found.entries.map(({ entry }) => entry.state),
    ['broken', 'complete'],
  );
  assert.equal(findBackup(found, 'latest').backup, '20260101-000000');
  assert.throws(() => findBackup(found, '20260102-000000'), isFailure('ArtifactMissing', /no store has snapshot/));
});

test('a manifest that one store has damaged is read from the other; damaged in both it is broken', async () => {
  const id = '20260101-000000';
  await backup(id);
  await put('local', manifestKey('prod', NODE, id), '{"formatVersion": 1');
  const [once] = (await catalogue()).entries;
  assert.equal(once?.entry.state, 'degraded');
  assert.match(once?.entry.problem ?? '', /backup-20260101-000000\.json in store "local" is not JSON/);
  await put('offsite', manifestKey('prod', NODE, id), '{"formatVersion": 2}');
  const found = await catalogue();
  assert.equal(found.entries[0]?.entry.state, 'broken');
  assert.throws(() => findBackup(found, id), isFailure('BackupCorrupt', /not a manifest of format 1/));
});

test('the last drill’s proof counts, the failed one’s as well, wherever it lies', async () => {
  const id = '20260101-000000';
  await backup(id);
  await drill('offsite', id, '2026-01-05T00:00:00Z', 'served');
  await drill('local', id, '2026-01-04T00:00:00Z', 'restored');
  assert.equal((await catalogue()).entries[0]?.entry.proof, 'served');
  await drill('local', id, '2026-01-06T00:00:00Z', 'hashed', false);
  const [found] = (await catalogue()).entries;
  assert.equal(found?.entry.proof, 'hashed');
  assert.match(found?.entry.problem ?? '', /the last drill failed: keys: 5 keys/);
});

test('a pin in any store pins', async () => {
  await backup('20260101-000000');
  await put('offsite', pinnedKey('prod', NODE, '20260101-000000'), '{}');
  assert.equal((await catalogue()).entries[0]?.entry.pinned, true);
});

test('snapshots of an older script and of OpenShift are found, and restored only by name', async () => {
  await put('local', snapshotKey('prod', NODE, '20260103-000000', PLAIN), 'script');
  await put('local', `prod/${NODE}/backup-dir/snapshot_2026-01-02_101112.db`, 'openshift');
  await put('local', `prod/${NODE}/backup-dir/static_kuberesources_2026-01-02_101112.tar.gz`, 'resources');
  await put('local', `prod/10.0.0.9/notes.txt`, 'not a backup');
  await put('local', `other/${NODE}/snapshot-20260103-000000.db`, 'of another cluster');
  const found = await catalogue();
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
  });
  assert.throws(
    () => findBackup(found, 'latest'),
    isFailure('UnknownBackup', /no good backup; the newest are 20260103-000000 \(foreign\)/),
  );
});

test('what an interrupted backup left is an orphan, not a backup', async () => {
  const key = snapshotKey('prod', NODE, '20260103-000000', ZSTD);
  await put('local', key, 'half a backup');
  await backup('20260101-000000');
  const stray = snapshotKey('prod', NODE, '20260101-000000', PLAIN);
  await put('offsite', stray, 'not in the manifest');
  const { entries, orphans } = await catalogue();
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
  await backup('20260101-000000');
  await rm(pathIn('offsite', ''), { recursive: true });
  const found = await catalogue();
  assert.deepEqual(
    found.unreadable.map(({ store }) => store),
    ['offsite'],
  );
  assert.match(found.unreadable[0]?.error ?? '', /is not a directory; create it/);
  assert.equal(found.entries[0]?.entry.state, 'complete');
  assert.deepEqual(findBackup(found, 'latest').stores, ['local', 'offsite']);
  await rm(pathIn('local', ''), { recursive: true });
  await assert.rejects(catalogue(), isFailure('StoreMissing', /create it/));
});

test('an unknown backup is told together with the newest few', async () => {
  await backup('20260101-000000');
  const found = await catalogue();
  const named = /prod has no backup 20250101-000000; the newest are 20260101-000000 \(complete\)/;
  assert.throws(() => chooseBackup(found, '20250101-000000'), isFailure('UnknownBackup', named));
  assert.throws(
    () => chooseBackup({ ...found, entries: [] }, 'latest'),
    isFailure('UnknownBackup', /there is none at all/),
  );
});

test('a manifest that was replaced is read again', async () => {
  const id = '20260101-000000';
  await backup(id);
  await catalogue();
  await backup(id, {
    etcd: { version: '3.6.16', clusterId: '1', memberId: '2', revision: '99999', totalKeys: 5, members: [] },
  });
  assert.equal((await catalogue()).entries[0]?.entry.revision, '99999');
});

test('what a store’s own rules have pruned is not missing there; what they still want is', async () => {
  const [local] = cluster.stores;
  assert.ok(local);
  cluster.stores[0] = { ...local, retention: { keepLast: 2 } };
  const ids = ['20260101-000000', '20260102-000000', '20260103-000000'];
  for (const id of ids) {
    const takenAt = `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}T00:00:00.000Z`;
    await backup(id, { takenAt });
  }
  const removeFrom = async (store: string, id: string) => {
    for (const key of [
      snapshotKey('prod', NODE, id, ZSTD),
      staticResourcesKey('prod', NODE, id, false),
      manifestKey('prod', NODE, id),
    ]) {
      await unlink(pathIn(store, key));
    }
  };
  await removeFrom('local', '20260101-000000');
  const states = async () => (await catalogue()).entries.map(({ entry }) => `${entry.state} ${entry.stores.join('+')}`);
  assert.deepEqual(await states(), ['complete local+offsite', 'complete local+offsite', 'complete offsite']);
  await removeFrom('local', '20260102-000000');
  assert.deepEqual(await states(), ['complete local+offsite', 'degraded offsite', 'complete offsite']);
  await put('local', pinnedKey('prod', NODE, '20260101-000000'), '{}');
  assert.deepEqual(
    await states(),
    ['complete local+offsite', 'degraded offsite', 'complete offsite'],
    'a pin brings nothing back',
  );
});

test('static resources of other nodes lie with those nodes and belong to the backup that names them', async () => {
  const id = '20260101-000000';
  const key = staticResourcesKey('prod', '10.0.0.2', id, false);
  const manifest = await backup(id);
  const [first] = manifest.artifacts;
  assert.ok(first);
  const stored = digestOf('of m2');
  const artifacts = [...manifest.artifacts, { ...first, kind: 'static-resources', node: 'm2', key, stored } as const];
  await backup(id, { artifacts });
  await put('local', key, 'of m2');
  const [found] = (await catalogue()).entries;
  assert.deepEqual(found?.missing, [{ store: 'offsite', kind: 'static-resources', key }]);
  await put('offsite', key, 'of m2');
  const { entries, orphans } = await catalogue();
  assert.equal(entries[0]?.entry.state, 'complete');
  assert.deepEqual(orphans, []);
});
