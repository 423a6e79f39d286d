import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseManifest } from '../../domain/format/manifest.ts';
import { manifestKey } from '../../domain/format/keys.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import type { ListBackupsReport } from '../../domain/operations/list-backups.ts';
import { PLAYGROUND_CLUSTER as cluster, type Configuration, startWorld, type World } from '../support/world.ts';

const run = promisify(execFile);
const hasAge = await run('age', ['--version']).then(
  () => true,
  () => false,
);

let world: World;
let folder = '';
const tree = () => join(folder, 'pki');
const linked = () => join(folder, 'elsewhere');
const vault = () => join(folder, 'vault');

before(async () => {
  world = await startWorld({ kubernetes: false });
  folder = await mkdtemp(join(tmpdir(), 'salvor-static-'));
  await mkdir(join(tree(), 'deep er'), { recursive: true });
  await chmod(join(tree(), 'deep er'), 0o750);
  await writeFile(join(tree(), 'ca.key'), 'the key\n', { mode: 0o600 });
  await writeFile(join(tree(), 'deep er', `it's "odd" $HOME`), 'x'.repeat(1_500_000), { mode: 0o644 });
  await symlink('ca.key', join(tree(), 'current.key'));
  await mkdir(linked());
  await writeFile(join(linked(), 'file'), 'behind a link');
  await symlink(linked(), join(folder, 'link'));
});
after(async () => {
  await world.down();
  await rm(folder, { recursive: true, force: true });
});

/** The keys apart from the snapshots: only the vault holds static resources. */
beforeEach(async () => {
  await rm(vault(), { recursive: true, force: true });
  await mkdir(vault());
  await configure(({ stores, clusters }) => {
    for (const name of ['local', 'offsite']) Object.assign(stores[name] ?? {}, { holds: ['snapshot'] });
    stores['vault'] = { type: 'filesystem', path: vault(), holds: ['static-resources'] };
    const playground = clusters[cluster];
    if (!playground) return;
    playground['stores'] = ['local', 'offsite', 'vault'];
    playground['staticResources'] = { paths: [tree()] };
    delete playground['encryption'];
    delete playground['encryptionAtRest'];
  });
});

async function configure(change: (configuration: Configuration) => void): Promise<void> {
  await world.configure(change);
}

async function backUp(): Promise<{ report: BackupReport; evidence: (step: string, node?: string | null) => string }> {
  const handle = await world.start('backup', { cluster });
  const report = (await handle.result()) as BackupReport;
  const { steps } = await handle.query<Progress>('progress');
  const evidence = (name: string, node: string | null = null) =>
    steps.find((step) => step.name === name && step.node === node)?.evidence ?? '';
  return { report, evidence };
}

async function manifestOf({ backup, node }: BackupReport) {
  const address = world.playground.nodes.find(({ name }) => name === node)?.address ?? '';
  const file = join(world.playground.localStore, manifestKey(cluster, address, backup));
  return parseManifest(await readFile(file, 'utf8'), file);
}

async function entryOf({ backup }: BackupReport) {
  const { backups } = await world.run<ListBackupsReport>('listBackups', { cluster });
  return backups.find((entry) => entry.backup === backup);
}

/** The modes and names of everything below a directory, links as links. */
async function modesOf(directory: string): Promise<string> {
  const { stdout } = await run('find', ['.', '-printf', '%M %P %l\n'], { cwd: directory });
  return stdout.split('\n').toSorted().join('\n');
}

test('of every node an archive is kept that puts files, modes and links back, in the stores that hold them and in no other', async () => {
  const absent = join(folder, 'no-such-file');
  const pattern = join(folder, 'li*');
  await configure(({ clusters }) => {
    Object.assign(clusters[cluster] ?? {}, { staticResources: { paths: [tree(), absent, pattern] } });
  });
  const { report, evidence } = await backUp();
  assert.equal(report.state, 'complete');
  assert.equal(report.lacking, undefined);
  const archives = report.artifacts.filter(({ kind }) => kind === 'static-resources');
  assert.deepEqual(
    archives.map(({ node, copies }) => [node, copies.map(({ store, key }) => `${store} ${key}`)]),
    world.playground.nodes.map(({ name, address }) => {
      return [name, [`vault ${cluster}/${address}/static-resources-${report.backup}.tar.gz`]];
    }),
  );
  const [snapshot] = report.artifacts;
  assert.deepEqual(snapshot?.copies.map(({ store }) => store).toSorted(), ['local', 'offsite']);
  assert.ok((await readdir(vault(), { recursive: true })).every((name) => !name.includes('snapshot-')));
  const elsewhere = await readdir(world.playground.localStore, { recursive: true });
  assert.ok(elsewhere.every((name) => !name.includes('static-resources-')));

  for (const { node } of archives)
    assert.match(evidence('Keep the static resources', node), /no-such-file does not exist/);
  for (const { copies } of archives) {
    const target = await mkdtemp(join(folder, 'back-'));
    await run('tar', ['-xpzf', join(vault(), copies[0]?.key ?? ''), '-C', target]);
    await run('diff', ['-r', '--no-dereference', tree(), join(target, tree())]);
    assert.equal(await modesOf(join(target, tree())), await modesOf(tree()));
    assert.equal(
      await readFile(join(target, linked(), 'file'), 'utf8'),
      'behind a link',
      'what a listed link leads to',
    );
  }

  const manifest = await manifestOf(report);
  assert.deepEqual(
    manifest.artifacts.map(({ kind, node, stores }) => [kind, node, stores.toSorted().join()]).slice(1),
    [
      ['static-resources', 'm1', 'vault'],
      ['static-resources', 'm2', 'vault'],
      ['static-resources', 'm3', 'vault'],
    ],
  );
  const inVault = join(vault(), manifestKey(cluster, manifest.node.address, report.backup));
  assert.deepEqual(parseManifest(await readFile(inVault, 'utf8'), inVault), manifest, 'every store has the manifest');
  assert.equal((await entryOf(report))?.state, 'complete');
});

test(
  'encrypted archives open with age and tar alone',
  { skip: !hasAge && 'not installed: age (Debian package age)' },
  async () => {
    const identity = join(folder, 'identity.txt');
    await run('age-keygen', ['-o', identity]);
    const recipient = (await run('age-keygen', ['-y', identity])).stdout.trim();
    await configure(({ clusters }) => {
      Object.assign(clusters[cluster] ?? {}, { encryption: { recipients: [recipient] } });
    });
    const { report } = await backUp();
    assert.equal(report.state, 'complete');
    const archive = report.artifacts.find(({ node }) => node === 'm2');
    const file = join(vault(), archive?.copies[0]?.key ?? '');
    assert.match(file, /\.tar\.gz\.age$/);
    assert.ok(!(await readFile(file)).includes('the key'));
    const age = spawn('age', ['-d', '-i', identity, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const tar = spawn('tar', ['-tz'], { stdio: [age.stdout, 'pipe', 'inherit'] });
    const exits = Promise.all([once(age, 'exit'), once(tar, 'exit')]);
    assert.match(await text(tar.stdout), /pki\/ca\.key/);
    assert.deepEqual(
      (await exits).map(([code]: unknown[]) => code),
      [0, 0],
    );
  },
);

test('when nothing of what is listed is there the backup is degraded, not failed, and every list says why', async () => {
  await configure(({ clusters }) => {
    Object.assign(clusters[cluster] ?? {}, { staticResources: { paths: ['/no/such/file', '/no/such/*.conf'] } });
  });
  const { report } = await backUp();
  assert.equal(report.state, 'degraded');
  assert.deepEqual(
    report.artifacts.map(({ kind }) => kind),
    ['snapshot'],
  );
  assert.deepEqual(
    report.lacking?.map(({ kind, node }) => [kind, node]),
    ['m1', 'm2', 'm3'].map((node) => ['static-resources', node]),
  );
  for (const { reason } of report.lacking ?? []) assert.match(reason, /\/no\/such\/file.*staticResources\.paths/);
  assert.deepEqual((await manifestOf(report)).lacking, report.lacking);
  const entry = await entryOf(report);
  assert.equal(entry?.state, 'degraded');
  assert.match(entry?.problem ?? '', /static-resources of m1 could not be saved/);
});

test('an archive that a store gives back changed is not counted, and the backup is degraded', async () => {
  const address = world.playground.nodes[1]?.address ?? '';
  const directory = join(vault(), cluster, address);
  const spoiled = (async () => {
    for (;;) {
      const name = (await readdir(directory).catch(() => [])).find((found) => found.startsWith('static-resources-'));
      if (name === undefined) {
        await delay(2);
        continue;
      }
      const file = await open(join(directory, name), 'r+');
      await file.write(Buffer.from([0xff]), 0, 1, 100);
      await file.close();
      return;
    }
  })();
  const [{ report }] = await Promise.all([backUp(), spoiled]);
  assert.equal(report.state, 'degraded');
  assert.deepEqual(
    report.lacking?.map(({ node }) => node),
    ['m2'],
  );
  assert.match(report.lacking?.[0]?.reason ?? '', /vault: .*SHA-256/);
  assert.deepEqual(
    (await manifestOf(report)).artifacts.map(({ node }) => node),
    [undefined, 'm1', 'm3'],
  );
});

test('with encryption at rest, a store with both the snapshot and the keys is named where the stores are checked', async () => {
  await configure(({ stores, clusters }) => {
    delete stores['local']?.['holds'];
    Object.assign(clusters[cluster] ?? {}, { encryptionAtRest: true });
  });
  const { evidence } = await backUp();
  assert.match(evidence('Check the stores'), /local holds the snapshot and, in the static resources, the keys/);
  assert.doesNotMatch(evidence('Check the stores'), /offsite holds/);
});

test('without listed paths, or without a store that holds them, the evidence says what the backup lacks', async () => {
  await configure(({ clusters }) => Object.assign(clusters[cluster] ?? {}, { stores: ['local', 'offsite'] }));
  const unheld = await backUp();
  assert.equal(unheld.report.state, 'complete');
  assert.match(unheld.evidence('Keep the static resources'), /no store holds static-resources/);
  await configure(({ clusters }) => delete clusters[cluster]?.['staticResources']);
  const unlisted = await backUp();
  assert.equal(unlisted.report.artifacts.length, 1);
  assert.match(unlisted.evidence('Keep the static resources'), /staticResources\.paths is empty/);
});
