/** Verifying real backups of a real etcd, with a worker as a process of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import { drillBackup } from '../../adapters/drill/drill-backup.ts';
import { scratchRoot } from '../../adapters/scratch/folders.ts';
import { openStores } from '../../adapters/stores/open.ts';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import { resolveCluster } from '../../domain/configuration/resolve.ts';
import type { CatalogueEntry } from '../../domain/backups/catalogue-entry.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { ListBackupsReport } from '../../domain/operations/list-backups.ts';
import type { VerifyReport } from '../../domain/operations/verify.ts';
import { parseVerified } from '../../domain/format/verified.ts';
import { bringUpPart, killWorker, stopPart } from '../../playground/handle.ts';
import { provideTool } from '../../adapters/binaries/binaries.ts';
import { environment } from '../../adapters/environment.ts';
import { failureTypeIn } from '../support/failures.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, startWorld, type World } from '../support/world.ts';

const SALVOR = fileURLToPath(new URL('../../bin/salvor', import.meta.url));

let world: World;
let older: BackupReport;
let newer: BackupReport;
before(async () => {
  world = await startWorld({ kubernetes: false });
  await putKeys(world.etcd(), 300);
  older = await world.run<BackupReport>('backup', { cluster });
  await putKeys(world.etcd(), 50, '/registry/secrets/default/');
  newer = await world.run<BackupReport>('backup', { cluster });
});
after(async () => await world.down());

async function entryOf({ backup }: BackupReport): Promise<CatalogueEntry | undefined> {
  const { backups } = await world.run<ListBackupsReport>('listBackups', { cluster });
  return backups.find((entry) => entry.backup === backup);
}

/** A backup's snapshot and drill result in the store `local`. */
function pathsOf(report: BackupReport): { snapshot: string; verified: string } {
  const key = report.artifacts.find(({ kind }) => kind === 'snapshot')?.copies[0]?.key ?? '';
  const snapshot = join(world.playground.localStore, key);
  return { snapshot, verified: join(snapshot, '..', `verified-${report.backup}.json`) };
}

async function resultOf(report: BackupReport) {
  const { verified } = pathsOf(report);
  return parseVerified(await readFile(verified, 'utf8'), verified);
}

/** Changes one byte in the middle, as a disk does it: size and time stay. */
async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  const { atime, mtime } = await stat(path);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  await writeFile(path, bytes);
  await utimes(path, atime, mtime);
}

/** The processes whose command line names what only one run of a workflow uses. */
async function processesOf(runId: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(runId)),
  );
  return pids.filter((_pid, index) => found[index]).map(Number);
}

/** Waits for the etcd that a run starts in scratch. */
async function scratchEtcdOf(runId: string): Promise<number> {
  return await until('the scratch etcd runs', async () => {
    for (const pid of await processesOf(runId)) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (line.includes('--name=salvor-scratch')) return pid;
    }
    return undefined;
  });
}

async function runIdOf(handle: WorkflowHandle): Promise<string> {
  const { runId } = await handle.describe();
  return runId;
}

async function scratchOf(runId: string): Promise<string[]> {
  return (await readdir(scratchRoot()).catch(() => [])).filter((name) => name.includes(runId));
}

/** Runs the command, and gives its exit status and its JSON. */
async function salvor(...args: string[]): Promise<{ exit: number; json: unknown }> {
  const env = { ...environment(), ...world.playground.temporalEnvironment };
  return await new Promise((resolve) => {
    execFile(SALVOR, [...args, '--output', 'json'], { env }, (error, stdout) => {
      resolve({ exit: typeof error?.code === 'number' ? error.code : 0, json: JSON.parse(stdout) });
    });
  });
}

test('the first verify proves the newest backup, and every store that has it gets the result', async () => {
  assert.equal((await entryOf(newer))?.proof, 'readBack');
  const report = await world.run<VerifyReport>('verify', { cluster });
  assert.equal(report.backup, newer.backup);
  assert.equal(report.proof, 'restored');
  assert.deepEqual(
    report.checks.filter(({ ok, skipped }) => !ok || skipped),
    [],
  );
  const names = report.checks.map(({ name }) => name);
  for (const store of ['local', 'offsite']) {
    assert.ok(names.includes(`manifest in ${store}`) && names.includes(`snapshot in ${store}`), names.join('; '));
  }
  const served = report.checks.find(({ name }) => name === 'it serves the keys of the source');
  assert.match(served?.seen ?? '', new RegExp(`HashKV \\d+ at revision ${newer.revision}, the same as at the source`));
  const entry = await entryOf(newer);
  assert.deepEqual([entry?.proof, entry?.problem], ['restored', undefined]);
  const { durationMs, ...kept } = await resultOf(newer);
  assert.equal(durationMs, report.durationMs);
  assert.deepEqual([kept.proof, kept.store, kept.checks], ['restored', 'local', report.checks]);
  const offsite = await world.run<ListBackupsReport>('listBackups', { cluster, store: 'offsite' });
  assert.equal(offsite.backups.find(({ backup }) => backup === newer.backup)?.proof, 'restored');
});

test('the next ones take the oldest proof: what was never drilled, then what was drilled the longest ago', async () => {
  const second = await world.run<VerifyReport>('verify', { cluster });
  assert.equal(second.backup, older.backup);
  const third = await world.run<VerifyReport>('verify', { cluster });
  assert.equal(third.backup, newer.backup);
  const asked = await world.run<VerifyReport>('verify', { cluster, backup: 'oldest-proof' });
  assert.equal(asked.backup, older.backup);
  const latest = await world.run<VerifyReport>('verify', { cluster, backup: 'latest' });
  assert.equal(latest.backup, newer.backup);
});

test('static resources are read to their end as well', async () => {
  const report = await world.run<VerifyReport>('verify', { cluster, backup: newer.backup });
  const kinds = newer.artifacts.filter(({ kind }) => kind === 'static-resources');
  assert.ok(kinds.length > 0, 'the playground keeps some');
  const checked = report.checks.filter(({ name }) => name.startsWith('static-resources'));
  assert.equal(checked.length, kinds.flatMap(({ copies }) => copies).length);
});

test('a copy in which one bit has rotten fails it as BackupCorrupt, though the other copy restores; mended, it is proven again', async () => {
  const { snapshot } = pathsOf(older);
  await flipByte(snapshot);
  const ended = await salvor('verify', cluster, '--backup', older.backup);
  assert.equal(ended.exit, 1);
  const { error } = ended.json as { error: { type: string; message: string } };
  assert.equal(error.type, 'BackupCorrupt');
  assert.match(error.message, /snapshot in local: .*The copy in offsite is good and restores/);
  const failed = await resultOf(older);
  assert.equal(failed.proof, 'written');
  assert.deepEqual(
    failed.checks.filter(({ ok }) => !ok).map(({ name }) => name),
    ['snapshot in local'],
  );
  const entry = await entryOf(older);
  assert.equal(entry?.proof, 'written');
  assert.match(entry?.problem ?? '', /the last drill failed: snapshot in local/);

  const other = await world.run<VerifyReport>('verify', { cluster, backup: older.backup, store: 'offsite' });
  assert.equal(other.proof, 'restored');
  assert.equal(other.store, 'offsite');
  assert.equal((await entryOf(older))?.proof, 'written', 'the wrong copy is not forgotten by looking elsewhere');
  await flipByte(snapshot);
  const mended = await salvor('verify', cluster, '--backup', older.backup, '--store', 'local');
  assert.equal(mended.exit, 0);
  assert.equal((mended.json as VerifyReport).proof, 'restored');
  assert.equal((await entryOf(older))?.problem, undefined);
});

test('the manifest is read from the store, not from what the worker has read before', async () => {
  const manifest = join(pathsOf(older).snapshot, '..', `backup-${older.backup}.json`);
  const text = await readFile(manifest, 'utf8');
  const { atime, mtime } = await stat(manifest);
  await writeFile(manifest, text.replace('"compression": "zstd"', '"compression": "none"'));
  await utimes(manifest, atime, mtime);
  await assert.rejects(
    world.run('verify', { cluster, backup: older.backup }),
    (error) => failureTypeIn(error) === 'BackupCorrupt',
  );
  await writeFile(manifest, text);
});

test('a store that is down is named, the other copy is proven, and the command says degraded', async () => {
  const { localStore } = world.playground;
  await rename(localStore, `${localStore}.away`);
  try {
    const { exit, json } = await salvor('verify', cluster, '--backup', newer.backup);
    const report = json as VerifyReport;
    assert.equal(exit, 3);
    assert.deepEqual([report.proof, report.store], ['restored', 'offsite']);
    assert.deepEqual(
      report.checks.filter(({ ok }) => !ok).map(({ name }) => name),
      ['manifest in local'],
    );
  } finally {
    await rename(`${localStore}.away`, localStore);
  }
});

test('with every store down nothing is said of the backup: the failure is the store’s, and nothing is written', async () => {
  const { localStore } = world.playground;
  const before = await resultOf(newer);
  await rename(localStore, `${localStore}.away`);
  await stopPart(world.playground, 's3');
  try {
    const { exit, json } = await salvor('verify', cluster, '--backup', newer.backup);
    assert.equal(exit, 1);
    const { error } = json as { error: { type: string } };
    assert.ok(['StoreMissing', 'StoreUnavailable'].includes(error.type), error.type);
  } finally {
    await bringUpPart(world.playground, 's3');
    await rename(`${localStore}.away`, localStore);
  }
  assert.deepEqual(await resultOf(newer), before);
});

test('a backup that nobody has, or that was never one, is bad input', async () => {
  for (const [args, type] of [
    [['--backup', '20200101-000000'], 'UnknownBackup'],
    [['--backup', 'newest'], 'InvalidInput'],
    [['--store', 'elsewhere'], 'UnknownStore'],
  ] as const) {
    const { exit, json } = await salvor('verify', cluster, ...args);
    assert.deepEqual([exit, (json as { error: { type: string } }).error.type], [2, type]);
  }
});

test('a worker killed in the middle of a drill leaves an etcd, which the retry ends; then nothing is left', async () => {
  const handle = await world.start('verify', { cluster, backup: newer.backup });
  const runId = await runIdOf(handle);
  const etcd = await scratchEtcdOf(runId);
  // The drill can't go on without it, so the kill comes in its middle.
  process.kill(etcd, 'SIGSTOP');
  await killWorker(world.playground);
  assert.deepEqual(await processesOf(runId), [etcd], 'it outlives the worker');
  assert.equal((await scratchOf(runId)).length, 1);
  await bringUpPart(world.playground, 'worker');
  const report = (await handle.result()) as VerifyReport;
  assert.equal(report.proof, 'restored');
  assert.deepEqual(await processesOf(runId), []);
  assert.deepEqual(await scratchOf(runId), []);
});

test('a cancelled verify leaves neither a process nor a file, and no result', async () => {
  const before = await resultOf(newer);
  const handle = await world.start('verify', { cluster, backup: newer.backup });
  const runId = await runIdOf(handle);
  await scratchEtcdOf(runId);
  await handle.cancel();
  await assert.rejects(handle.result());
  assert.deepEqual(await processesOf(runId), []);
  assert.deepEqual(await scratchOf(runId), []);
  assert.deepEqual(await resultOf(newer), before);
});

test('a backup that is pruned under the feet of a drill is missing, not corrupt', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'salvor-drill-'));
  const configured = resolveCluster(await loadConfiguration(world.playground.configFile), cluster);
  const stores = await openStores(configured);
  try {
    const order = { backup: '20200101-000000', nodeAddress: world.playground.nodes[0]?.address ?? '' };
    const options = { scratch, now: () => new Date(), signal: AbortSignal.timeout(60_000) };
    await assert.rejects(drillBackup(configured, stores, order, options), { type: 'ArtifactMissing' });
  } finally {
    for (const store of stores) store.close();
    await rm(scratch, { recursive: true });
  }
});

test('a snapshot of an older script is verified by its name, without a manifest to compare with', async () => {
  // Plain bytes of a real snapshot, under a name that the script would have given.
  await world.configure((configuration) => {
    Object.assign(configuration.clusters[cluster] ?? {}, { compression: 'none' });
  });
  const plain = await world.run<BackupReport>('backup', { cluster });
  const key = plain.artifacts.find(({ kind }) => kind === 'snapshot')?.copies[0]?.key ?? '';
  const bytes = await readFile(join(world.playground.localStore, key));
  const folder = join(world.playground.localStore, cluster, '10.9.9.9');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'snapshot-20250101-000000.db'), bytes);
  const report = await world.run<VerifyReport>('verify', { cluster, backup: '20250101-000000' });
  assert.equal(report.proof, 'restored');
  assert.deepEqual(
    report.checks.map(({ name }) => name),
    [
      'snapshot in local',
      'the database is whole',
      'an etcd restored from it starts',
      'it serves the keys of the source',
    ],
  );
});

test('without a kube-apiserver at hand a Kubernetes backup is proven as far as a restore, and the check says why no further', async () => {
  const snapshot = join(world.playground.localStore, cluster, '10.9.9.9', 'snapshot-20250101-000000.db');
  const scratch = await mkdtemp(join(tmpdir(), 'salvor-drill-'));
  const script = `
    import { proveSnapshot } from ${JSON.stringify(new URL('../../adapters/drill/prove-snapshot.ts', import.meta.url))};
    import { openRecord } from ${JSON.stringify(new URL('../../adapters/drill/record.ts', import.meta.url))};
    const record = openRecord();
    const source = { backup: '20250101-000000', takenAt: '', key: '', compression: 'none', encrypted: false, stores: [] };
    const options = { scratch: process.argv[2], registryPrefix: '/registry', check: record.check, signal: AbortSignal.timeout(60_000) };
    await proveSnapshot(process.argv[1], source, options);
    console.log(JSON.stringify({ proof: record.proof(), last: record.checks.at(-1) }));
  `;
  const env = {
    PATH: '/usr/bin:/bin',
    SALVOR_CACHE: join(scratch, 'cache'),
    SALVOR_ETCD: (await provideTool('etcd')).path,
    SALVOR_ETCDUTL: (await provideTool('etcdutl')).path,
  };
  const args = ['--input-type=module', '--eval', script, '--', snapshot, scratch];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  assert.deepEqual(JSON.parse(stdout), {
    proof: 'restored',
    last: {
      name: 'a kube-apiserver reads every object',
      ok: true,
      skipped: true,
      seen: 'not done: this worker has no kube-apiserver; put one on its PATH',
    },
  });
  await rm(scratch, { recursive: true });
});

test('a scratch disk without room for the snapshot says so, and nothing of the backup', async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'salvor-drill-'));
  const mounted = await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', scratch]).then(
    () => true,
    () => false,
  );
  if (!mounted) {
    await rm(scratch, { recursive: true });
    t.skip('may not mount a tmpfs here');
    return;
  }
  const configured = resolveCluster(await loadConfiguration(world.playground.configFile), cluster);
  const stores = await openStores(configured);
  const { address = '' } = world.playground.nodes.find(({ name }) => name === newer.node) ?? {};
  try {
    const order = { backup: newer.backup, nodeAddress: address };
    const options = { scratch, now: () => new Date(), signal: AbortSignal.timeout(60_000) };
    await assert.rejects(drillBackup(configured, stores, order, options), { type: 'NoSpace' });
  } finally {
    for (const store of stores) store.close();
    await promisify(execFile)('umount', [scratch]);
    await rm(scratch, { recursive: true });
  }
});
