import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { STORE_GAUGES } from '../../domain/metrics.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import { bringUpPart, stopPart } from '../../playground/handle.ts';
import { environment } from '../../adapters/environment.ts';
import { parseMetrics, type Sample, valueOf } from '../support/metrics.ts';
import { freePort } from '../support/s3-server.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, startWorld, type World } from '../support/world.ts';

const SALVOR = fileURLToPath(new URL('../../bin/salvor', import.meta.url));

let world: World;
let address: string;
let worker: ChildProcess;
let said = '';

before(async () => {
  world = await startWorld({ kubernetes: false });
  const { playground } = world;
  await stopPart(playground, 'worker');
  await putKeys(world.etcd(), 50);
  address = `127.0.0.1:${await freePort()}`;
  worker = salvor(['worker', '--metrics', address, '--metrics-every', '1s']);
  worker.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
});

after(async () => {
  worker.kill('SIGTERM');
  if (worker.exitCode === null) await once(worker, 'exit');
  await world.down();
});

function salvor(args: string[]): ChildProcess {
  const { temporalEnvironment, configFile } = world.playground;
  const env = { ...environment(), ...temporalEnvironment, SALVOR_CONFIG: configFile };
  return spawn(SALVOR, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
}

async function scrape(): Promise<Sample[]> {
  const response = await fetch(`http://${address}/metrics`);
  assert.equal(response.status, 200);
  return parseMetrics(await response.text());
}

/** The samples as soon as they are as expected. */
async function scrapeUntil(what: string, isSo: (samples: Sample[]) => boolean): Promise<Sample[]> {
  return await until(what, async () => {
    const samples = await scrape().catch(() => []);
    return isSo(samples) && samples;
  }).catch((error: unknown) => {
    throw new Error(`the worker said: ${said}`, { cause: error });
  });
}

function store(samples: Sample[], name: string, store: string, labels: Record<string, string> = {}) {
  return valueOf(samples, name, { cluster, store, ...labels });
}

test('before the first backup each store is readable and has none, so that an age of it alerts', async () => {
  const samples = await scrapeUntil('the stores were looked at', (seen) =>
    seen.some(({ name }) => name === 'salvor_stores_read_timestamp_seconds'),
  );
  for (const each of ['local', 'offsite']) {
    assert.equal(store(samples, 'salvor_store_readable', each), 1);
    assert.equal(store(samples, 'salvor_backup_newest_timestamp_seconds', each), 0);
    assert.equal(store(samples, 'salvor_backup_newest_proven_timestamp_seconds', each), 0);
    assert.equal(store(samples, 'salvor_backups', each, { state: 'complete' }), 0);
  }
  const interval = { cluster, operation: 'backup' };
  assert.equal(valueOf(samples, 'salvor_schedule_interval_seconds', interval), 6 * 3600);
});

test('after a backup its time, size and bytes are those of the report, and the operation is measured', async () => {
  const report = await world.run<BackupReport>('backup', { cluster });
  assert.equal(report.state, 'complete');
  const samples = await scrapeUntil(
    'the backup is seen in both stores',
    (seen) =>
      store(seen, 'salvor_backups', 'local', { state: 'complete' }) === 1 &&
      store(seen, 'salvor_backups', 'offsite', { state: 'complete' }) === 1 &&
      seen.some(({ name }) => name === 'salvor_operation_duration_seconds_count'),
  );
  const bytes = report.artifacts.reduce((sum, artifact) => sum + artifact.bytes, 0);
  for (const each of ['local', 'offsite']) {
    assert.equal(
      store(samples, 'salvor_backup_newest_timestamp_seconds', each),
      new Date(report.takenAt).getTime() / 1000,
    );
    assert.equal(store(samples, 'salvor_backup_bytes', each), bytes);
    assert.ok((store(samples, 'salvor_store_bytes', each) ?? 0) > bytes, 'the manifest lies there as well');
    assert.equal(store(samples, 'salvor_copies_degraded', each), 0);
  }
  const labels = { cluster, operation: 'backup', outcome: 'done' };
  assert.equal(valueOf(samples, 'salvor_operation_duration_seconds_count', labels), 1);
  const sum = valueOf(samples, 'salvor_operation_duration_seconds_sum', labels) ?? 0;
  assert.ok(sum >= report.durationMs / 1000, `${sum} s against ${report.durationMs} ms`);
  assert.equal(valueOf(samples, 'salvor_operation_duration_seconds_bucket', { ...labels, le: '21600' }), 1);
});

test('a backup that a store misses shows as degraded there, and the unreadable store keeps what it had', async () => {
  const { playground } = world;
  await stopPart(playground, 's3');
  const report = await world.run<BackupReport>('backup', { cluster });
  assert.equal(report.state, 'degraded');
  const without = await scrapeUntil(
    'the store is unreadable and the backup is seen in the other',
    (seen) =>
      store(seen, 'salvor_store_readable', 'offsite') === 0 &&
      store(seen, 'salvor_backup_newest_timestamp_seconds', 'local') === new Date(report.takenAt).getTime() / 1000,
  );
  assert.equal(store(without, 'salvor_backups', 'offsite', { state: 'complete' }), 1);
  assert.equal(store(without, 'salvor_copies_degraded', 'offsite'), 0);

  await bringUpPart(playground, 's3');
  const samples = await scrapeUntil(
    'the store is readable again',
    (seen) => store(seen, 'salvor_store_readable', 'offsite') === 1,
  );
  assert.equal(store(samples, 'salvor_copies_degraded', 'offsite'), 1);
  assert.equal(store(samples, 'salvor_copies_degraded', 'local'), 0);
  assert.equal(store(samples, 'salvor_backups', 'local', { state: 'degraded' }), 1);
  const newest = store(samples, 'salvor_backup_newest_timestamp_seconds', 'offsite') ?? 0;
  assert.ok(newest > 0 && newest < new Date(report.takenAt).getTime() / 1000, 'the newest there is the one before');
  const labels = { cluster, operation: 'backup', outcome: 'degraded' };
  assert.equal(valueOf(samples, 'salvor_operation_duration_seconds_count', labels), 1);
});

test('a backup that fails counts by its type, and a name that no cluster has does not become a label', async () => {
  await world.configure(({ stores }) => {
    Object.assign(stores['local'] ?? {}, { path: '/nowhere/at/all' });
    Object.assign(stores['offsite'] ?? {}, { bucket: 'no-such-bucket' });
  });
  await assert.rejects(world.run('backup', { cluster }));
  await assert.rejects(world.run('backup', { cluster: 'typed-by-hand' }));
  const samples = await scrapeUntil(
    'both failures are counted, and no store is readable',
    (seen) =>
      seen.filter(({ name }) => name === 'salvor_operation_failures_total').length === 2 &&
      store(seen, 'salvor_store_readable', 'local') === 0,
  );
  const missing = { cluster, operation: 'backup', type: 'StoreMissing' };
  assert.equal(valueOf(samples, 'salvor_operation_failures_total', missing), 1);
  const unknown = { cluster: '', operation: 'backup', type: 'UnknownCluster' };
  assert.equal(valueOf(samples, 'salvor_operation_failures_total', unknown), 1);
  assert.equal(valueOf(samples, 'salvor_operation_duration_seconds_count', { cluster, outcome: 'failed' }), 1);
  assert.ok(!samples.some(({ labels }) => Object.values(labels).includes('typed-by-hand')));
});

test('a store that leaves the configuration loses its values', async () => {
  await world.configure(({ clusters, stores }) => {
    Object.assign(stores['local'] ?? {}, { path: world.playground.localStore });
    Object.assign(clusters[cluster] ?? {}, { stores: ['local'] });
  });
  const samples = await scrapeUntil(
    'the store that stays is readable',
    (seen) => store(seen, 'salvor_store_readable', 'local') === 1,
  );
  assert.equal(store(samples, 'salvor_backup_newest_timestamp_seconds', 'offsite'), Number.NaN);
  assert.equal(store(samples, 'salvor_store_readable', 'offsite'), Number.NaN);
});

test('the endpoint has Temporal’s own metrics too, every gauge of Salvor, and only labels of a known set', async () => {
  const samples = await scrape();
  const names = new Set(samples.map(({ name }) => name));
  for (const gauge of Object.keys(STORE_GAUGES)) assert.ok(names.has(gauge), gauge);
  assert.ok(names.has('temporal_worker_task_slots_available'));
  assert.ok([...names].some((name) => name.startsWith('temporal_activity_execution_latency_seconds')));
  const own = samples.filter(({ name }) => name.startsWith('salvor_'));
  const labels = new Set(own.flatMap(({ labels }) => Object.keys(labels)));
  const known = [
    'cluster',
    'le',
    'namespace',
    'operation',
    'outcome',
    'state',
    'store',
    'taskQueue',
    'type',
    'workflowType',
  ];
  assert.deepEqual([...labels].sort(), known);
});

for (const [what, args, expected] of [
  ['a name for an address', ['--metrics', 'localhost:9464'], /expected an IP address and a port/],
  ['a port that is taken', ['--metrics', 'TAKEN'], /can't be served at 127\.0\.0\.1:\d+.*in use/],
  ['no duration', ['--metrics', '127.0.0.1:9464', '--metrics-every', 'often'], /expected a duration/],
] as const) {
  test(`${what} ends the worker before it takes work, with exit status 2`, async () => {
    const refused = salvor(['worker', ...args.map((arg) => (arg === 'TAKEN' ? address : arg))]);
    let error = '';
    refused.stderr?.on('data', (chunk: Buffer) => (error += chunk.toString()));
    const [status] = (await once(refused, 'exit')) as [number];
    assert.match(error, expected);
    assert.equal(status, 2);
  });
}
