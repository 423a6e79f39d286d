import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { readBack } from '../../adapters/stores/copy.ts';
import { s3Store } from '../../adapters/stores/s3/store.ts';
import type { Store } from '../../adapters/stores/store.ts';
import { SalvorError } from '../../domain/errors.ts';
import { type Fault, type FaultProxy, type FaultRule, startFaultProxy } from '../support/fault-proxy.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { collect, signal } from '../support/store-contract.ts';

const BUCKET = 'backups';
/** More than two parts. */
const LARGE = randomBytes(34 * 1024 * 1024);
const SMALL = randomBytes(30_000);

let server: S3Server;
let proxy: FaultProxy;
let admin: S3Client;
/** Beside the proxy: what is really there. */
let direct: Store;
/** Through the proxy. */
let store: Store;

before(async () => {
  const started = await startS3Server();
  assert.ok(started, 'there is no versitygw at hand');
  server = started;
  proxy = await startFaultProxy(server.endpoint);
  const { endpoint, credentials } = server;
  admin = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  await admin.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const configuration = { name: 'offsite', type: 's3', bucket: BUCKET, region: 'us-east-1', pathStyle: true } as const;
  direct = s3Store({ ...configuration, endpoint }, { credentials });
  // As in production, only sooner.
  const limits = { connectTimeoutMs: 1_000, idleTimeoutMs: 1_500, attempts: 3, answerTimeoutMs: 4_000 };
  store = s3Store({ ...configuration, endpoint: proxy.endpoint }, { credentials }, limits);
});

after(async () => {
  store.close();
  direct.close();
  admin.destroy();
  await proxy.close();
  await server.stop();
});

/** What there is of unfinished uploads. */
async function uploads(): Promise<string[]> {
  const { Uploads = [] } = await admin.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  return Uploads.map(({ Key = '' }) => Key);
}

async function* chunked(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < content.length; from += 1024 * 1024) yield content.subarray(from, from + 1024 * 1024);
}

function digestOf(content: Buffer): { bytes: number; sha256: string } {
  return { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

function place(): string {
  return `c-${randomUUID()}/10.0.0.1/snapshot.db`;
}

/** The error, which is of the closed list, or undefined when there is none. */
async function failureOf(act: () => Promise<unknown>): Promise<SalvorError | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof SalvorError, `not of the closed list: ${String(error)}`);
    return error;
  }
}

const FAULTS: Record<string, Fault> = {
  'a reset before it': { kind: 'reset', when: 'before' },
  'a reset in its middle': { kind: 'reset', when: 'sending' },
  'a reset instead of its answer': { kind: 'reset', when: 'answer' },
  '500 InternalError': { kind: 'status', status: 500, code: 'InternalError' },
  '503 SlowDown': { kind: 'status', status: 503, code: 'SlowDown' },
  'a gateway that answers 502': { kind: 'status', status: 502, code: 'BadGateway' },
  silence: { kind: 'black hole' },
  latency: { kind: 'latency', ms: 300 },
  'a slow drip': { kind: 'drip', bytesPerSecond: 5_000 },
  'an answer that breaks off': { kind: 'cut', afterBytes: 20 },
  'an answer that breaks off and looks whole': { kind: 'cut', afterBytes: 20, quietly: true },
  'a flipped bit on the way there': { kind: 'flip', way: 'up' },
  'a flipped bit on the way back': { kind: 'flip', way: 'down' },
};

interface Met {
  content: Buffer;
  only: NonNullable<FaultRule['only']>;
}

/** The requests that a put makes. */
const REQUESTS: Record<string, Met> = {
  'every request': { content: LARGE, only: () => true },
  'a small object': { content: SMALL, only: ({ method }) => method === 'PUT' },
  'the start of an upload': { content: LARGE, only: ({ method, url }) => method === 'POST' && /[?&]uploads/.test(url) },
  'the parts': { content: LARGE, only: ({ method, url }) => method === 'PUT' && url.includes('partNumber=') },
  'the completion': { content: LARGE, only: ({ method, url }) => method === 'POST' && url.includes('uploadId=') },
};

for (const [request, { content, only }] of Object.entries(REQUESTS)) {
  describe(`a put, where ${request} meets`, () => {
    for (const [what, fault] of Object.entries(FAULTS)) {
      test(`${what}: it fails, or what it wrote is there; when that is over, it succeeds and leaves nothing unfinished`, async () => {
        const key = place();
        proxy.set({ fault, only });
        const failure = await failureOf(async () => {
          assert.equal((await store.put(key, chunked(content), { signal: signal() })).bytes, content.length);
        });
        assert.ok(proxy.met > 0, 'the fault was met');
        proxy.end();
        // Bit for bit, or not at all; never a part of it.
        const there = await direct.head(key, signal());
        if (failure === undefined || there) await readBack(direct, key, digestOf(content), signal());
        if (failure) assert.equal(failure.type, 'StoreUnavailable', failure.message);

        const again = await failureOf(() => store.put(key, chunked(content), { signal: signal() }));
        assert.equal(again?.type, there ? 'ArtifactExists' : undefined, again?.message);
        await readBack(direct, key, digestOf(content), signal());
        // What could not be cleaned up while the fault lasted, the regular sweep removes.
        await store.sweepParts(key, -60_000, signal());
        assert.deepEqual(await uploads(), []);
      });
    }

    for (const what of ['a reset before it', 'a reset instead of its answer', '503 SlowDown', 'silence'] as const) {
      test(`${what}, once: it succeeds all the same`, async () => {
        const key = place();
        proxy.set({ fault: FAULTS[what] ?? { kind: 'black hole' }, only, times: 1 });
        assert.equal((await store.put(key, chunked(content), { signal: signal() })).bytes, content.length);
        assert.equal(proxy.met, 1);
        await readBack(direct, key, digestOf(content), signal());
        // A begun upload whose name never arrived can't be ended by who began it.
        await store.sweepParts(key, -60_000, signal());
        assert.deepEqual(await uploads(), []);
      });
    }
  });
}

test('a put that drips ends right when the drip ends', async () => {
  const key = place();
  proxy.set({ fault: { kind: 'drip', bytesPerSecond: 2_000_000 } });
  const timer = setTimeout(() => proxy.end(), 1_000);
  assert.equal((await store.put(key, chunked(LARGE), { signal: signal() })).bytes, LARGE.length);
  clearTimeout(timer);
  await readBack(direct, key, digestOf(LARGE), signal());
  assert.deepEqual(await uploads(), []);
});

describe('reading, while there is', () => {
  const folder = `c-${randomUUID()}/10.0.0.1/`;
  const names = Array.from({ length: 40 }, (_, index) => `${folder}backup-${String(index).padStart(2, '0')}.json`);
  const large = `${folder}snapshot.db`;

  before(async () => {
    for (const name of names) await direct.put(name, chunked(SMALL), { signal: signal() });
    await direct.put(large, chunked(LARGE), { signal: signal() });
  });

  async function list(): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of store.list(`${folder}backup-`, signal())) keys.push(key);
    return keys;
  }

  /** Each ends in an error of the closed list, or gives what is there. */
  async function readAll(): Promise<Record<string, SalvorError | undefined>> {
    return {
      list: await failureOf(async () => assert.deepEqual(await list(), names)),
      head: await failureOf(async () => assert.equal((await store.head(large, signal()))?.bytes, LARGE.length)),
      'read back': await failureOf(() => readBack(store, large, digestOf(LARGE), signal())),
      get: await failureOf(async () => {
        const content = await collect(await store.get(large, AbortSignal.any([signal(), AbortSignal.timeout(20_000)])));
        assert.equal(content.length, LARGE.length);
      }),
    };
  }

  for (const [what, fault] of Object.entries(FAULTS)) {
    // Nothing in the protocol would tell; what is read of a backup has a digest.
    const unnoticed = what === 'a flipped bit on the way back';
    test(`${what}: a wrong answer is an error${unnoticed ? ' of the read back' : ''}, and right after it all is well`, async () => {
      // At that pace the whole would take hours: it is over soon.
      proxy.set({ fault });
      const timer = what === 'a slow drip' ? setTimeout(() => proxy.end(), 6_000) : undefined;
      if (unnoticed) {
        const failure = await failureOf(() => readBack(store, large, digestOf(LARGE), signal()));
        assert.equal(failure?.type, 'BackupCorrupt', failure?.message);
      } else {
        await readAll();
      }
      clearTimeout(timer);
      assert.ok(proxy.met > 0, 'the fault was met');
      proxy.end();
      for (const [method, failure] of Object.entries(await readAll())) {
        assert.equal(failure, undefined, `${method}: ${failure?.message}`);
      }
    });
  }

  for (const afterBytes of [0, 200, 1_500, 4_000, 8_000]) {
    for (const quietly of [false, true]) {
      test(`a list cut after ${afterBytes} bytes${quietly ? ', as if that were all,' : ''} is an error, not a shorter list`, async () => {
        proxy.set({ fault: { kind: 'cut', afterBytes, quietly } });
        const failure = await failureOf(list);
        proxy.end();
        assert.equal(failure?.type, 'StoreUnavailable', failure?.message);
      });
    }
  }

  test('an object of which only a part came is an error where it ends', async () => {
    for (const quietly of [false, true]) {
      proxy.set({ fault: { kind: 'cut', afterBytes: 20_000_000, quietly } });
      const failure = await failureOf(async () => await collect(await store.get(large, signal())));
      proxy.end();
      assert.equal(failure?.type, 'StoreUnavailable', failure?.message);
    }
  });
});
