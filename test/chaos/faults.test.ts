import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import { inspectMembers } from '../../adapters/etcd/inspect.ts';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import { openStores } from '../../adapters/stores/open.ts';
import { resolveCluster } from '../../domain/configuration/resolve.ts';
import { parseKey } from '../../domain/format/keys.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import { bringUpPart, killPart } from '../../playground/handle.ts';
import { failureTypeIn } from '../support/failures.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, startWorld, type World } from '../support/world.ts';
import { proxyEtcd } from '../support/world-proxies.ts';

const run = promisify(execFile);
const DATABASE_BYTES = 80 * 1024 * 1024;
const VALUE_BYTES = 1024 * 1024;
/** How much of the snapshot a member gives before the world changes. */
const HELD_AT_BYTES = 8 * 1024 * 1024;

let world: World;
let proxies: TcpProxy[] = [];
/** A small disk; the store `local` is a directory on it. */
let disk = '';
const store = () => join(disk, 'backups');

before(async () => {
  world = await startWorld({ kubernetes: false });
  disk = await mkdtemp(join(tmpdir(), 'salvor-disk-'));
  // Bytes that don't compress: what is in the database is what a store needs.
  for (let index = 0; index < DATABASE_BYTES / VALUE_BYTES; index += 1) {
    await world.etcd().put(`/registry/random/${index}`).value(randomBytes(VALUE_BYTES)).exec();
  }
  await world.configure(({ stores, clusters }) => {
    Object.assign(stores['local'] ?? {}, { path: store() });
    delete clusters[cluster]?.['staticResources'];
  });
  proxies = await proxyEtcd(world);
});
after(async () => {
  for (const proxy of proxies) proxy.close();
  await world.down();
  await rm(disk, { recursive: true, force: true });
});

beforeEach(async () => await mount(2 * DATABASE_BYTES));
afterEach(async () => {
  await killPart(world.playground, 'worker', 'SIGCONT');
  await unmount();
  for (const { name } of world.playground.nodes) await bringUpPart(world.playground, `etcd-${name}`);
});

async function mount(bytes: number): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', disk]);
  await mkdir(store());
}

async function unmount(): Promise<void> {
  // Lazily: a worker may still have files open there.
  await run('umount', ['-l', disk]).catch(() => undefined);
}

/**
 * Stops the worker while it streams a snapshot into the store `local`, changes the world, and lets it go on.
 * @param act given the node that is read
 */
async function midStream(act: (node: string) => Promise<void>): Promise<WorkflowHandle> {
  for (const proxy of proxies) proxy.hold({ answeredBytes: HELD_AT_BYTES });
  const handle = await world.start('backup', { cluster });
  const part = await until('the first bytes lie in the store', async () => {
    const names = await readdir(store(), { recursive: true });
    const part = names.find((name) => name.includes('.part-'));
    const written = part === undefined ? undefined : await stat(join(store(), part)).catch(() => undefined);
    if (written === undefined || written.size === 0) return false;
    return part;
  });
  await killPart(world.playground, 'worker', 'SIGSTOP');
  const address = part.split('/')[1];
  await act(world.playground.nodes.find((node) => node.address === address)?.name ?? '');
  for (const proxy of proxies) proxy.release();
  await killPart(world.playground, 'worker', 'SIGCONT');
  return handle;
}

async function streamSteps(handle: WorkflowHandle) {
  const { steps } = await handle.query<Progress>('progress');
  return steps.filter(({ name }) => name === 'Stream the snapshot').map(({ node, state }) => ({ node, state }));
}

async function evidence(handle: WorkflowHandle, name: string): Promise<string> {
  const { steps } = await handle.query<Progress>('progress');
  return steps.find((step) => step.name === name)?.evidence ?? '';
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

function copyIn(report: BackupReport, name: string) {
  return report.artifacts[0]?.copies.find((copy) => copy.store === name);
}

/** The snapshots in every store that can be read. */
async function storedSnapshots(): Promise<{ store: string; backup: string; address: string }[]> {
  const resolved = resolveCluster(await loadConfiguration(world.playground.configFile), cluster);
  const found: { store: string; backup: string; address: string }[] = [];
  for (const opened of await openStores(resolved)) {
    try {
      for await (const { key } of opened.list(`${cluster}/`, AbortSignal.timeout(30_000))) {
        const parsed = parseKey(key);
        if (parsed?.kind !== 'snapshot') continue;
        found.push({ store: opened.name, backup: parsed.backup, address: parsed.nodeAddress });
      }
    } finally {
      opened.close();
    }
  }
  return found;
}

async function leaderNow(): Promise<string> {
  const resolved = resolveCluster(await loadConfiguration(world.playground.configFile), cluster);
  return await until('a member leads', async () => {
    const members = await inspectMembers(resolved, AbortSignal.timeout(30_000));
    return members.find(({ status }) => status && status.memberId === status.leaderId)?.node;
  });
}

test('the leader is killed in the middle of a snapshot: the follower that is read goes on, and the backup is complete', async () => {
  let read = '';
  const handle = await midStream(async (node) => {
    read = node;
    const leader = await leaderNow();
    assert.notEqual(read, leader, 'a follower is read');
    await killPart(world.playground, `etcd-${leader}`, 'SIGKILL');
  });
  const report = (await handle.result()) as BackupReport;
  assert.equal(report.state, 'complete');
  assert.equal(report.node, read);
  assert.deepEqual(await streamSteps(handle), [{ node: read, state: 'done' }]);
});

test('the member that is read is killed: another one is read, and nothing of the first attempt stays', async () => {
  const before = (await storedSnapshots()).map(({ store, backup }) => `${store} ${backup}`);
  let killed = '';
  const handle = await midStream(async (node) => {
    killed = node;
    await killPart(world.playground, `etcd-${node}`, 'SIGKILL');
  });
  const report = (await handle.result()) as BackupReport;
  assert.equal(report.state, 'complete');
  assert.notEqual(report.node, killed);
  assert.deepEqual(await streamSteps(handle), [
    { node: killed, state: 'failed' },
    { node: report.node, state: 'done' },
  ]);
  const address = world.playground.nodes.find(({ name }) => name === killed)?.address;
  const stored = (await storedSnapshots()).filter((found) => !before.includes(`${found.store} ${found.backup}`));
  assert.deepEqual(
    stored.map(({ store, backup }) => `${store} ${backup}`).toSorted(),
    ['local', 'offsite'].map((name) => `${name} ${report.backup}`),
  );
  assert.ok(stored.every((found) => found.address !== address));
  assert.ok((await readdir(store(), { recursive: true })).every((name) => !name.includes('.part-')));
});

test('a disk without room for the backup is left out before the stream begins, with both figures, and the other store has it', async () => {
  await unmount();
  await mount(DATABASE_BYTES / 4);
  const handle = await world.start('backup', { cluster });
  const report = (await handle.result()) as BackupReport;
  assert.equal(report.state, 'degraded');
  assert.equal(copyIn(report, 'offsite')?.state, 'complete');
  assert.match(copyIn(report, 'local')?.error ?? '', /has \d+ bytes left, and the backup may need \d+/);
  assert.match(await evidence(handle, 'Check the stores'), /local fails: .*bytes left/);
  assert.deepEqual(await filesIn(store()), []);
});

test('when no store has room the backup fails and says so, and nothing was written', async () => {
  await unmount();
  await mount(DATABASE_BYTES / 4);
  await world.configure(({ clusters }) => Object.assign(clusters[cluster] ?? {}, { stores: ['local'] }));
  try {
    await assert.rejects(world.run('backup', { cluster }), (error) => failureTypeIn(error) === 'NoSpace');
    assert.deepEqual(await filesIn(store()), []);
  } finally {
    await world.configure(({ clusters }) => Object.assign(clusters[cluster] ?? {}, { stores: ['local', 'offsite'] }));
  }
});

test('a disk that fills up under way makes the backup degraded: nothing of it stays there, and the other store has it whole', async () => {
  const handle = await midStream(async () => {
    await run('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=1M']).catch(() => undefined);
  });
  const report = (await handle.result()) as BackupReport;
  assert.equal(report.state, 'degraded');
  assert.match(copyIn(report, 'local')?.error ?? '', /ENOSPC.*make room/);
  assert.equal(copyIn(report, 'offsite')?.state, 'complete');
  assert.deepEqual(await filesIn(store()), []);
});

test('a disk that is not mounted, or is unmounted under way, makes the backup degraded and gets nothing', async () => {
  await unmount();
  const report = await world.run<BackupReport>('backup', { cluster });
  assert.equal(report.state, 'degraded');
  assert.match(copyIn(report, 'local')?.error ?? '', /is not a directory; create it, or mount the disk/);
  assert.equal(copyIn(report, 'offsite')?.state, 'complete');

  await mount(2 * DATABASE_BYTES);
  const handle = await midStream(unmount);
  const second = (await handle.result()) as BackupReport;
  assert.equal(second.state, 'degraded');
  assert.equal(copyIn(second, 'local')?.state, 'failed');
  assert.equal(copyIn(second, 'offsite')?.state, 'complete');
  assert.deepEqual(await readdir(disk), [], 'nothing was written below the empty mount point');
});
