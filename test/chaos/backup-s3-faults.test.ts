import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { readBack } from '../../adapters/stores/copy.ts';
import { s3Store } from '../../adapters/stores/s3/store.ts';
import type { Store } from '../../adapters/stores/store.ts';
import { parseManifest } from '../../domain/format/manifest.ts';
import { manifestKey } from '../../domain/format/keys.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { ListBackupsReport } from '../../domain/operations/list-backups.ts';
import { type Fault, type FaultProxy, type FaultRule, startFaultProxy } from '../support/fault-proxy.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, startWorld, type World } from '../support/world.ts';

let world: World;
let proxy: FaultProxy;
let admin: S3Client;
/** The store "offsite" beside the proxy: what is really there. */
let direct: Store;

before(async () => {
  world = await startWorld({ kubernetes: false });
  const { endpoint, bucket, accessKeyId, secretAccessKey } = world.playground.s3;
  const credentials = { accessKeyId, secretAccessKey };
  admin = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  const configuration = {
    name: 'offsite',
    type: 's3',
    bucket,
    endpoint,
    region: 'us-east-1',
    pathStyle: true,
  } as const;
  direct = s3Store(configuration, { credentials });
  proxy = await startFaultProxy(endpoint);
  await world.configure(({ stores, clusters }) => {
    Object.assign(stores['offsite'] ?? {}, { endpoint: proxy.endpoint });
    // Random bytes stay as many: more than one part of an upload.
    Object.assign(clusters[cluster] ?? {}, { compression: 'none' });
  });
  for (let index = 0; index < 24; index += 1) {
    await world.etcd().put(`/registry/secrets/default/s-${index}`).value(randomBytes(1_000_000)).exec();
  }
});

after(async () => {
  direct.close();
  admin.destroy();
  await world.down();
  await proxy.close();
});

function signal(): AbortSignal {
  return AbortSignal.timeout(120_000);
}

/**
 * What a report calls complete is there, bit for bit, with a manifest that says so; what it calls failed doesn't count
 * as a copy.
 */
async function requireTruth(report: BackupReport): Promise<void> {
  const copies = report.artifacts.flatMap(({ bytes, sha256, copies }) =>
    copies.filter(({ store }) => store === 'offsite').map((copy) => ({ ...copy, bytes, sha256 })),
  );
  assert.ok(copies.length > 0);
  const complete = copies.filter(({ state }) => state === 'complete');
  for (const { key, bytes, sha256 } of complete) await readBack(direct, key, { bytes, sha256 }, signal());
  assert.equal(report.state, complete.length === copies.length ? 'complete' : 'degraded');
  if (complete.length === 0) return;
  const node = world.playground.nodes.find(({ name }) => name === report.node);
  const text = await direct.read(manifestKey(cluster, node?.address ?? '', report.backup), signal());
  const manifest = parseManifest(Buffer.from(text ?? '').toString(), 'the manifest in offsite');
  const named = manifest.artifacts.filter(({ stores }) => stores.includes('offsite')).map(({ key }) => key);
  assert.deepEqual(named.sort(), complete.map(({ key }) => key).sort());
}

async function uploads(): Promise<string[]> {
  const page = await admin.send(new ListMultipartUploadsCommand({ Bucket: world.playground.s3.bucket }));
  return (page.Uploads ?? []).map(({ Key = '' }) => Key);
}

async function requireHealed(backups: string[]): Promise<void> {
  const listed = await world.run<ListBackupsReport>('listBackups', { cluster, store: 'offsite' });
  assert.deepEqual(listed.unreadable, []);
  for (const backup of backups) {
    const found = listed.backups.find((entry) => entry.backup === backup);
    assert.equal(found?.state, 'complete', `${backup}: ${found?.problem}`);
  }
}

const isPart: FaultRule['only'] = ({ method, url }) => method === 'PUT' && url.includes('partNumber=');
const isManifest: FaultRule['only'] = ({ method, url }) => method === 'PUT' && url.includes('/backup-');
const isRead: FaultRule['only'] = ({ method, url }) => method === 'GET' && url.includes('/snapshot-');

const LASTING: [what: string, rule: FaultRule, state: BackupReport['state']][] = [
  ['the store resets every connection', { fault: { kind: 'reset', when: 'before' } }, 'degraded'],
  ['the store answers 503 SlowDown', { fault: { kind: 'status', status: 503, code: 'SlowDown' } }, 'degraded'],
  ['parts are answered with 500', { fault: status500(), only: isPart }, 'degraded'],
  ['parts are reset in their middle', { fault: { kind: 'reset', when: 'sending' }, only: isPart }, 'degraded'],
  ['parts arrive with another bit', { fault: { kind: 'flip', way: 'up' }, only: isPart }, 'degraded'],
  ['the answers to parts are lost', { fault: { kind: 'reset', when: 'answer' }, only: isPart }, 'degraded'],
  ['the copy reads back with another bit', { fault: { kind: 'flip', way: 'down' }, only: isRead }, 'degraded'],
  ['the copy reads back cut off', { fault: { kind: 'cut', afterBytes: 10_000_000 }, only: isRead }, 'degraded'],
  ['the manifest is refused', { fault: status500(), only: isManifest }, 'degraded'],
  ['every answer comes late', { fault: { kind: 'latency', ms: 200 } }, 'complete'],
];

function status500(): Fault {
  return { kind: 'status', status: 500, code: 'InternalError' };
}

for (const [what, rule, state] of LASTING) {
  test(`${what}: the backup is ${state} and says so, the other store has it, and the next one is whole again`, async () => {
    proxy.set(rule);
    const report = await world.run<BackupReport>('backup', { cluster });
    assert.ok(proxy.met > 0, 'the fault was met');
    proxy.end();
    assert.equal(report.state, state);
    await requireTruth(report);
    const local = report.artifacts.flatMap(({ copies }) => copies.filter(({ store }) => store === 'local'));
    assert.ok(local.every((copy) => copy.state === 'complete'));

    const next = await world.run<BackupReport>('backup', { cluster });
    assert.equal(next.state, 'complete');
    await requireTruth(next);
    await requireHealed([report.backup, next.backup]);
    assert.deepEqual(await uploads(), []);
  });
}

test('a part whose answer is lost once is sent again, and the backup is complete', async () => {
  proxy.set({ fault: { kind: 'reset', when: 'answer' }, only: isPart, times: 1 });
  const report = await world.run<BackupReport>('backup', { cluster });
  proxy.end();
  assert.equal(report.state, 'complete');
  await requireTruth(report);
  assert.deepEqual(await uploads(), []);
});

test('an upload that drips goes on at full speed when the drip ends, and the backup is complete', async () => {
  proxy.set({ fault: { kind: 'drip', bytesPerSecond: 100_000 }, only: isPart });
  const handle = await world.start('backup', { cluster });
  await until('a part drips', async () => proxy.met > 0);
  proxy.end();
  const report = (await handle.result()) as BackupReport;
  assert.equal(report.state, 'complete');
  await requireTruth(report);
});

test('a store that takes connections and never answers makes the backup degraded within minutes, not hours', async () => {
  proxy.set({ fault: { kind: 'black hole' } });
  const startMs = Date.now();
  const report = await world.run<BackupReport>('backup', { cluster });
  const tookMs = Date.now() - startMs;
  proxy.end();
  assert.equal(report.state, 'degraded');
  assert.ok(tookMs < 300_000, `${tookMs} ms`);
  const next = await world.run<BackupReport>('backup', { cluster });
  assert.equal(next.state, 'complete');
  await requireHealed([report.backup, next.backup]);
});
