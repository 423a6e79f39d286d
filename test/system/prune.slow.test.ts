import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { formatManifest, type Manifest, parseManifest } from '../../domain/format/manifest.ts';
import { backupIdOf, manifestKey, snapshotKey } from '../../domain/format/keys.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { ListBackupsReport } from '../../domain/operations/list-backups.ts';
import type { PinReport } from '../../domain/operations/pin.ts';
import type { PruneReport } from '../../domain/operations/prune.ts';
import { bringUpPart, killPart } from '../../playground/handle.ts';
import { salvor } from '../support/salvor.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, startWorld, type World } from '../support/world.ts';

const DAY_MS = 86_400_000;

let world: World;
let node = '';
before(async () => {
  world = await startWorld({ kubernetes: false });
  node = world.playground.nodes[0]?.address ?? '';
  await putKeys(world.etcd(), 50);
  await retain({ keepLast: 2 }, { keepLast: 3 });
});
after(async () => await world.down());

async function retain(local: object, offsite: object): Promise<void> {
  await world.configure(({ stores, clusters }) => {
    Object.assign(stores['local'] ?? {}, { retention: local });
    Object.assign(stores['offsite'] ?? {}, { retention: offsite });
    delete clusters[cluster]?.['staticResources'];
  });
}

/** The keys in the local store. */
async function localKeys(): Promise<string[]> {
  const { localStore } = world.playground;
  const entries = await readdir(localStore, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(localStore.length + 1)).sort();
}

async function list(): Promise<ListBackupsReport> {
  return await world.run<ListBackupsReport>('listBackups', { cluster });
}

async function putLocal(key: string, text: string, ageMs: number): Promise<void> {
  const path = join(world.playground.localStore, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  const time = (Date.now() - ageMs) / 1_000;
  await utimes(path, time, time);
}

function removedIn({ stores }: PruneReport): Record<string, string[]> {
  return Object.fromEntries(stores.map(({ store, removed }) => [store, removed.map(({ backup }) => backup)]));
}

test('a dry run says what the run then does: by each store’s rules, but never a pinned backup, an old script’s, or what is a day old', async () => {
  const taken: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    const report = await world.run<BackupReport>('backup', { cluster });
    assert.equal(report.state, 'complete', JSON.stringify(report));
    taken.push(report.backup);
  }
  const [oldest = '', second = '', third = '', fourth = '', newest = ''] = taken;
  const pinned = await salvor<PinReport>(world, 'pin', cluster, oldest);
  assert.deepEqual([pinned.exit, pinned.report.stores], [0, ['local', 'offsite']]);
  const script = `${cluster}/${node}/snapshot-20250101-000000.db`;
  const oldOrphan = `${cluster}/${node}/snapshot-20250102-000000.db.zst`;
  const newOrphan = `${cluster}/${node}/snapshot-20250103-000000.db.zst`;
  await putLocal(script, 'of an older script', 400 * DAY_MS);
  await putLocal(oldOrphan, 'old', 1.1 * DAY_MS);
  await putLocal(newOrphan, 'new', 0.9 * DAY_MS);
  const before = await localKeys();

  const dry = await salvor<PruneReport>(world, 'prune', cluster, '--dry-run');
  assert.equal(dry.exit, 0, dry.stderr);
  assert.deepEqual(removedIn(dry.report), { local: [third, second], offsite: [second] });
  assert.deepEqual(
    dry.report.stores.map(({ orphans }) => orphans.map(({ key }) => key)),
    [[oldOrphan], []],
  );
  const reasons = new Map(dry.report.stores[0]?.kept.map(({ backup, reason }) => [backup, reason]));
  assert.equal(reasons.get(oldest), 'pinned');
  assert.equal(reasons.get('20250101-000000'), 'foreign: pruned only when asked');
  assert.deepEqual(await localKeys(), before, 'a dry run removes nothing');

  const wet = await salvor<PruneReport>(world, 'prune', cluster);
  assert.deepEqual(wet.report, { ...dry.report, dryRun: false });
  const gone = before.filter((key) => key === oldOrphan || key.includes(third) || key.includes(second));
  assert.deepEqual(
    await localKeys(),
    before.filter((key) => !gone.includes(key)),
  );
  const { backups } = await list();
  assert.deepEqual(
    backups.map(({ backup, state, stores }) => `${backup} ${state} ${stores.join('+')}`),
    [
      `${newest} complete local+offsite`,
      `${fourth} complete local+offsite`,
      `${third} complete offsite`,
      `${oldest} complete local+offsite`,
      '20250101-000000 foreign local',
    ],
    'what a store has pruned is not missing there',
  );

  const asked = await world.run<PruneReport>('prune', { cluster, store: 'local', includeForeign: true });
  assert.deepEqual(removedIn(asked), { local: ['20250101-000000'] });
  await assert.rejects(access(join(world.playground.localStore, script)));

  await salvor(world, 'unpin', cluster, oldest);
  const last = await world.run<PruneReport>('prune', { cluster });
  assert.deepEqual(removedIn(last), { local: [oldest], offsite: [oldest] });
});

/** Small backups of the local store alone, one for each hour. */
async function putBackups(count: number): Promise<string[]> {
  const [template] = (await localKeys()).filter((key) => basename(key).startsWith('backup-'));
  assert.ok(template);
  const text = await readFile(join(world.playground.localStore, template), 'utf8');
  const manifest = parseManifest(text, template);
  const [artifact] = manifest.artifacts;
  assert.ok(artifact);
  const body = 'a small snapshot';
  const digest = { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
  const { address } = manifest.node;
  const made: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const time = new Date(Date.UTC(2026, 0, 1, index));
    const backup = backupIdOf(time);
    const key = snapshotKey(cluster, address, backup, { compression: 'zstd', encrypted: false });
    const small: Manifest = {
      ...manifest,
      backup,
      takenAt: time.toISOString(),
      intendedStores: [{ store: 'local', kinds: ['snapshot'] }],
      artifacts: [{ ...artifact, key, content: digest, stored: digest, stores: ['local'] }],
    };
    await putLocal(key, body, 0);
    await putLocal(manifestKey(cluster, address, backup), formatManifest(small), 0);
    made.push(backup);
  }
  return made;
}

test('a worker killed while it prunes leaves no half backup that lists as good, and the next one finishes', async () => {
  const { playground } = world;
  const made = await putBackups(1_000);
  const count = async () => (await localKeys()).filter((key) => basename(key).startsWith('backup-')).length;
  const before = await count();
  const handle = await world.start('prune', { cluster, store: 'local', removeMany: true });
  await until('a few are removed', async () => (await count()) < before - 20);
  await killPart(playground, 'worker', 'SIGKILL');
  const left = await localKeys();
  const manifests = left.filter((key) => basename(key).startsWith('backup-'));
  assert.ok(manifests.length > 100, 'it was killed in the middle');
  for (const key of manifests) {
    const id = basename(key).slice('backup-'.length, -'.json'.length);
    assert.ok(
      left.some((other) => other.includes(`snapshot-${id}`)),
      `${id} has its snapshot`,
    );
  }
  await bringUpPart(playground, 'worker');
  const report = (await handle.result()) as PruneReport;
  assert.deepEqual(new Set(removedIn(report)['local']), new Set(made));
  const keys = await localKeys();
  assert.deepEqual(
    keys.filter((key) => made.some((id) => key.includes(id))),
    [],
  );
  const { backups } = await list();
  assert.ok(backups.every(({ state }) => state === 'complete'));
  assert.equal(backups.filter(({ stores }) => stores.includes('local')).length, 2);
});
