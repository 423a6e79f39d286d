import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { s3Store } from '../../adapters/stores/s3/store.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { collect, signal } from '../support/store-contract.ts';
import { partsSent, startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const PART_BYTES = 8 * 1024 * 1024;

describe('an upload that was cut off', () => {
  let server: S3Server;
  let proxy: TcpProxy;
  let s3: S3Client;
  before(async () => {
    const started = await startS3Server();
    assert.ok(started, 'this test needs versitygw');
    server = started;
    const { hostname, port } = new URL(server.endpoint);
    proxy = await startTcpProxy(hostname, Number(port));
    s3 = new S3Client({ ...server, region: 'us-east-1', forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'backups' }));
  });
  after(async () => {
    s3.destroy();
    proxy.close();
    await server.stop();
  });

  async function resumed(key: string, content: Buffer): Promise<{ sentBytes: number; parts: string[] }> {
    const { credentials } = server;
    const endpoint = `http://127.0.0.1:${proxy.port}`;
    const named = { name: 'offsite', type: 's3', bucket: 'backups', endpoint, region: 'us-east-1' } as const;
    const store = s3Store({ ...named, pathStyle: true }, { credentials });
    proxy.forget();
    try {
      await store.resume?.(key, Readable.from([content]), { signal: signal() });
      const sentBytes = proxy.sentBytes();
      const parts = partsSent(proxy);
      const there = await collect(await store.get(key, signal()));
      assert.equal(sha256(there), sha256(content));
      const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'backups' }));
      assert.equal(Uploads?.length ?? 0, 0);
      return { sentBytes, parts };
    } finally {
      store.close();
    }
  }

  async function cutOff(Key: string, parts: Buffer[]): Promise<void> {
    const upload = { Bucket: 'backups', Key };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
    for (const [index, Body] of parts.entries()) {
      await s3.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: index + 1, Body }));
    }
  }

  const content = randomBytes(2 * PART_BYTES + 1_000_000);
  const first = content.subarray(0, PART_BYTES);

  test('is gone on with: what is there is not sent again', async () => {
    await cutOff('prod/n/a.db', [first]);
    const { sentBytes, parts } = await resumed('prod/n/a.db', content);
    assert.deepEqual(parts, ['2', '3']);
    assert.ok(sentBytes < PART_BYTES + 1_100_000, `${sentBytes} bytes were sent`);
  });

  test('has a part of other bytes sent again', async () => {
    await cutOff('prod/n/b.db', [randomBytes(PART_BYTES), content.subarray(PART_BYTES, 2 * PART_BYTES)]);
    assert.deepEqual((await resumed('prod/n/b.db', content)).parts, ['1', '3']);
  });

  test('is begun anew when nothing is left of it', async () => {
    assert.deepEqual((await resumed('prod/n/c.db', content)).parts, ['1', '2', '3']);
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
