import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ListMultipartUploadsCommand, ListPartsCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { parseAttempt } from '../../adapters/backup/attempt.ts';
import { PART_BYTES } from '../../adapters/stores/s3/put.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import { bringUpPart, killPart } from '../../playground/handle.ts';
import { partsSent, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, startWorld, type World } from '../support/world.ts';
import { proxyEtcd, proxyS3 } from '../support/world-proxies.ts';

describe('a worker killed', () => {
  let world: World;
  let s3: S3Client;
  let s3Proxy: TcpProxy;
  let etcdProxies: TcpProxy[];
  let storedBytes = 0;
  before(async () => {
    world = await startWorld({ kubernetes: false });
    const { endpoint, accessKeyId, secretAccessKey } = world.playground.s3;
    const credentials = { accessKeyId, secretAccessKey };
    s3 = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
    s3Proxy = await proxyS3(world);
    etcdProxies = await proxyEtcd(world);
    // Random, so that it is as large when it is compressed.
    for (let index = 0; index < 50; index += 1) {
      await world.etcd().put(`/registry/secrets/default/s-${index}`).value(randomBytes(1_000_000)).exec();
    }
  });
  after(async () => {
    s3.destroy();
    for (const proxy of [s3Proxy, ...etcdProxies]) proxy.close();
    await world.down();
  });

  async function localFiles(): Promise<string[]> {
    const entries = await readdir(world.playground.localStore, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(world.playground.localStore.length + 1))
      .sort();
  }

  async function remoteKeys(): Promise<string[]> {
    const keys: string[] = [];
    for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: world.playground.s3.bucket })) {
      keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''));
    }
    return keys.sort();
  }

  async function uploads(): Promise<string[]> {
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: world.playground.s3.bucket }));
    return (Uploads ?? []).map(({ Key }) => Key ?? '');
  }

  /** Nothing lies in the stores but whole backups, the same in both. */
  async function assertOnlyBackups(count: number): Promise<void> {
    const files = await localFiles();
    assert.deepEqual(await remoteKeys(), files);
    assert.deepEqual(await uploads(), []);
    for (const kind of ['snapshot-', 'backup-']) {
      assert.equal(files.filter((file) => file.includes(`/${kind}`)).length, count, `${kind} in ${files.join(', ')}`);
    }
    assert.ok(!files.some((file) => file.includes('.part-')));
  }

  test('while it streams: one new snapshot is taken, and nothing is left of the first', async () => {
    const { playground } = world;
    for (const proxy of etcdProxies) proxy.hold({ answeredBytes: 30_000_000 });
    const handle = await world.start('backup', { cluster });
    await until('the snapshot is on its way to both stores', async () => {
      const [part] = (await localFiles()).filter((file) => file.includes('.part-') && file.includes('-snapshot-'));
      return (await uploads()).length > 0 && part !== undefined && (await sizeOf(part)) > 1_000_000;
    });
    const [interrupted] = await uploads();
    await killPart(playground, 'worker', 'SIGKILL');
    for (const proxy of etcdProxies) proxy.release();
    await bringUpPart(playground, 'worker');
    const report = (await handle.result()) as BackupReport;
    assert.equal(report.state, 'complete');
    assert.notEqual(keyOf(report), interrupted);
    storedBytes = report.artifacts.find(({ kind }) => kind === 'snapshot')?.bytes ?? 0;
    await assertOnlyBackups(1);
  });

  test('when the local store has it all: the rest is uploaded from there, from where it was', async () => {
    const { playground } = world;
    // The last two parts: a store may be as far behind the others.
    const firstHeld = Math.ceil(storedBytes / PART_BYTES) - 1;
    s3Proxy.hold({ request: new RegExp(`partNumber=(${firstHeld}|${firstHeld + 1}|${firstHeld + 2})\\b`) });
    const handle = await world.start('backup', { cluster });
    const attempt = await until('the next attempt could go on from the local copy', async () => {
      const seen = await attemptOf(handle);
      return seen?.whole && seen;
    });
    assert.deepEqual(attempt.complete, ['local']);
    const file = join(playground.localStore, attempt.key);
    const { mtimeMs } = await stat(file);
    await until('the parts before are there', async () => (await sentParts(attempt.key)) === firstHeld - 1);
    await killPart(playground, 'worker', 'SIGKILL');
    for (const proxy of [s3Proxy, ...etcdProxies]) {
      proxy.forget();
      proxy.release();
    }
    await bringUpPart(playground, 'worker');
    const report = (await handle.result()) as BackupReport;
    assert.equal(report.state, 'complete');
    assert.equal(keyOf(report), attempt.key);
    assert.equal((await stat(file)).mtimeMs, mtimeMs, 'the local copy was not written again');
    const parts = partsSent(s3Proxy);
    assert.equal(Number(parts[0]), firstHeld, `sent after the kill: ${parts.join(', ')}`);
    const answered = etcdProxies.reduce((sum, proxy) => sum + proxy.answeredBytes(), 0);
    assert.ok(answered < 1_000_000, `etcd sent ${answered} bytes after the kill`);
    await assertOnlyBackups(2);
  });

  async function sizeOf(file: string): Promise<number> {
    const found = await stat(join(world.playground.localStore, file)).catch(() => undefined);
    return found?.size ?? 0;
  }

  async function sentParts(key: string): Promise<number> {
    const bucket = world.playground.s3.bucket;
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    const upload = Uploads?.find(({ Key }) => Key === key);
    if (!upload) return 0;
    const { Parts } = await s3.send(new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: upload.UploadId }));
    return Parts?.length ?? 0;
  }
});

/** What the running attempt has told Temporal. */
async function attemptOf(handle: WorkflowHandle) {
  const { raw } = await handle.describe();
  const [payload] = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
  return payload && parseAttempt(defaultPayloadConverter.fromPayload(payload));
}

function keyOf({ artifacts }: BackupReport): string | undefined {
  return artifacts.find(({ kind }) => kind === 'snapshot')?.copies[0]?.key;
}
