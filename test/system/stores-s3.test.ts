import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectLegalHoldCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { checkStores } from '../../adapters/stores/check-stores.ts';
import { recordPath } from '../../adapters/stores/identity.ts';
import { s3Store } from '../../adapters/stores/s3/store.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { S3StoreConfiguration } from '../../domain/configuration/stores.ts';
import type { S3Secrets } from '../../adapters/stores/s3/client.ts';
import type { Store } from '../../adapters/stores/store.ts';
import { CLUSTER } from '../support/fake-activities.ts';
import { freePort, type S3Server, startS3Server } from '../support/s3-server.ts';
import { bodyOf, collect, isFailure, signal, storeContract } from '../support/store-contract.ts';

const server = await startS3Server({ versioning: true });
const skip = server === undefined && 'there is no versitygw at hand';
const opened: Store[] = [];
const clients: S3Client[] = [];
const BUCKETS = ['plain', 'versioned', 'locked'] as const;

function running(): S3Server {
  assert.ok(server);
  return server;
}

function client(): S3Client {
  const { endpoint, credentials } = running();
  const made = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  clients.push(made);
  return made;
}

type Options = Partial<Pick<S3StoreConfiguration, 'endpoint' | 'prefix' | 'serverSideEncryption'>> & {
  secrets?: S3Secrets;
};

function open(bucket: string, options: Options = {}): Store {
  const {
    serverSideEncryption,
    prefix = 'backups',
    endpoint = running().endpoint,
    secrets = { credentials: running().credentials },
  } = options;
  const store = s3Store(
    {
      name: 'offsite',
      type: 's3',
      bucket,
      prefix,
      endpoint,
      region: 'us-east-1',
      pathStyle: true,
      ...(serverSideEncryption && { serverSideEncryption }),
    },
    secrets,
  );
  opened.push(store);
  return store;
}

async function everything(bucket: string): Promise<string[]> {
  const s3 = client();
  const names: string[] = [];
  let from = {};
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, ...from }));
    for (const { Key } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) names.push(`object ${Key}`);
    if (!page.IsTruncated) break;
    from = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
  const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return [...names, ...(Uploads ?? []).map(({ Key }) => `upload ${Key}`)];
}

before(async () => {
  if (server === undefined) return;
  const s3 = client();
  for (const bucket of BUCKETS) {
    await s3.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: bucket === 'locked' }));
  }
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket: 'versioned', VersioningConfiguration }));
});
after(async () => {
  for (const closable of opened) closable.close();
  for (const s3 of clients) s3.destroy();
  await server?.stop();
});

if (server !== undefined) {
  storeContract('A bucket', () => Promise.resolve({ store: open('plain'), everything: () => everything('plain') }));
  storeContract('A bucket with versions', () =>
    Promise.resolve({ store: open('versioned'), everything: () => everything('versioned') }),
  );
}

/** Passes connections on to the server; what `spoil` gives back for a connection decides when it is cut. */
async function proxy(
  spoil: (toServer: Buffer, toClient: Buffer) => 'cut' | 'pass',
): Promise<{ endpoint: string; close: () => void }> {
  const sockets = new Set<Socket>();
  const target = Number(new URL(running().endpoint).port);
  const listener = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => [near, far].map((end) => end.destroy()));
    }
    near.on('data', (chunk: Buffer) => (spoil(chunk, Buffer.alloc(0)) === 'cut' ? near.destroy() : far.write(chunk)));
    far.on('data', (chunk: Buffer) => (spoil(Buffer.alloc(0), chunk) === 'cut' ? near.destroy() : near.write(chunk)));
  });
  const port = await freePort();
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  function close(): void {
    listener.close();
    for (const socket of sockets) socket.destroy();
  }
  return { endpoint: `http://127.0.0.1:${port}`, close };
}

describe('An S3 store', { skip }, () => {
  test('a missing bucket is told as such by every method', async () => {
    const store = open('nowhere');
    for (const act of [
      () => store.check(signal()),
      () => store.put('a/b', bodyOf(1), { signal: signal() }),
      () => store.get('a/b', signal()),
      () => store.read('a/b', signal()),
      () => store.head('a/b', signal()),
      () => store.remove('a/b', signal()),
      () => store.sweepParts('', 0, signal()),
      async () => {
        for await (const _object of store.list('', signal()));
      },
    ]) {
      await assert.rejects(act, isFailure('StoreMissing', /store "offsite".*create/));
    }
  });

  for (const [what, secrets] of [
    ['key', () => ({ accessKeyId: 'nobody', secretAccessKey: 'x' })],
    ['secret', () => ({ ...running().credentials, secretAccessKey: 'x' })],
  ] as const) {
    test(`a wrong ${what} is AccessDenied, and no message shows it`, async () => {
      const store = open('plain', { secrets: { credentials: secrets() } });
      await assert.rejects(store.check(signal()), isFailure('AccessDenied', /check the store’s credentials/));
      await assert.rejects(store.put('a/b', bodyOf(1), { signal: signal() }), isFailure('AccessDenied', /a\/b/));
      await assert.rejects(store.head('a/b', signal()), isFailure('AccessDenied', /a\/b/));
    });
  }

  test('a service that does not answer is StoreUnavailable', async () => {
    const store = open('plain', { endpoint: `http://127.0.0.1:${await freePort()}` });
    await assert.rejects(store.check(signal()), isFailure('StoreUnavailable', /ECONNREFUSED/));
  });

  test('a removed object of a bucket with versions leaves no version and no marker', async () => {
    const store = open('versioned');
    await store.put('frees/node/snapshot.db', bodyOf(1000), { signal: signal() });
    assert.equal(await store.remove('frees/node/snapshot.db', signal()), 'removed');
    assert.deepEqual(
      (await everything('versioned')).filter((name) => name.includes('frees/')),
      [],
    );
  });

  test('a locked version is kept and told as locked, not as a failure', async () => {
    const store = open('locked');
    const key = 'kept/node/snapshot.db';
    await store.put(key, bodyOf(1000), { signal: signal() });
    const place = { Bucket: 'locked', Key: `backups/${key}` };
    await client().send(new PutObjectLegalHoldCommand({ ...place, LegalHold: { Status: 'ON' } }));
    assert.equal(await store.remove(key, signal()), 'locked');
    assert.equal((await store.head(key, signal()))?.bytes, 1000);
    await client().send(new PutObjectLegalHoldCommand({ ...place, LegalHold: { Status: 'OFF' } }));
    assert.equal(await store.remove(key, signal()), 'removed');
  });

  test('a connection that breaks while an object is read ends the stream with an error', async () => {
    await open('plain').put('cut/node/snapshot.db', bodyOf(20_000_000), { signal: signal() });
    let passed = 0;
    const cutting = await proxy((_, toClient) => ((passed += toClient.length) > 5_000_000 ? 'cut' : 'pass'));
    const body = await open('plain', { endpoint: cutting.endpoint }).get('cut/node/snapshot.db', signal());
    await assert.rejects(collect(body), isFailure('StoreUnavailable', /cut\/node\/snapshot\.db/));
    cutting.close();
  });

  for (const [size, bytes, completes] of [
    ['small', 1000, /^PUT .*small/],
    ['large', 40_000_000, /^POST .*large.*uploadId=/],
  ] as const) {
    test(`the answer to the last request of a ${size} put is lost, and the object is still this call's own`, async () => {
      let last = false;
      let cuts = 0;
      const cutting = await proxy((toServer, toClient) => {
        if (completes.test(toServer.toString('latin1'))) last = true;
        if (!last || toClient.length === 0 || cuts > 0) return 'pass';
        cuts += 1;
        return 'cut';
      });
      const key = `lost-answer/node/${size}.db`;
      const put = await open('plain', { endpoint: cutting.endpoint }).put(key, bodyOf(bytes), { signal: signal() });
      assert.equal(cuts, 1);
      assert.equal(put.bytes, bytes);
      assert.equal((await open('plain').head(key, signal()))?.bytes, bytes);
      cutting.close();
    });
  }

  test('a bucket that was emptied, or another one in its place, is not the store', async () => {
    const store = open('plain', { prefix: 'identity' });
    const cluster: Cluster = { ...CLUSTER, name: `c-${Date.now()}`, stores: [] };
    const check = async () => await checkStores(cluster, [store], undefined, signal());
    try {
      assert.deepEqual((await check()).good, ['offsite']);
      await store.put(`${cluster.name}/n/snapshot.db`, bodyOf(1), { signal: signal() });
      assert.deepEqual((await check()).good, ['offsite']);
      for (const key of ['.salvor-store', `${cluster.name}/.salvor-store`]) await store.remove(key, signal());
      await assert.rejects(
        check(),
        isFailure('StoreMissing', /has no \.salvor-store, expected .*is it the right bucket/),
      );
      await store.replace('.salvor-store', Buffer.from('{"formatVersion":1,"id":"another"}'), signal());
      await assert.rejects(check(), isFailure('StoreMissing', /is the store another, expected/));
    } finally {
      await rm(recordPath(cluster.name, store), { force: true });
    }
  });

  test('unfinished uploads of this store are swept once they are old, those beside its prefix stay', async () => {
    const s3 = client();
    for (const key of ['backups/left/node/snapshot.db', 'elsewhere/snapshot.db']) {
      await s3.send(new CreateMultipartUploadCommand({ Bucket: 'plain', Key: key }));
    }
    const store = open('plain');
    assert.equal(await store.sweepParts('', 86_400_000, signal()), 0);
    assert.equal(await store.sweepParts('other/', -60_000, signal()), 0);
    assert.equal(await store.sweepParts('left/', -60_000, signal()), 1);
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'plain' }));
    assert.deepEqual(
      Uploads?.map(({ Key }) => Key),
      ['elsewhere/snapshot.db'],
    );
  });

  test('without a prefix the keys begin at the bucket’s root', async () => {
    const store = s3Store(
      { name: 'root', type: 's3', bucket: 'plain', endpoint: running().endpoint, region: 'us-east-1', pathStyle: true },
      { credentials: running().credentials },
    );
    opened.push(store);
    await store.put('at-root/node/backup.json', bodyOf(1), { signal: signal() });
    await client().send(new HeadObjectCommand({ Bucket: 'plain', Key: 'at-root/node/backup.json' }));
  });

  for (const [how, serverSideEncryption, headers] of [
    ['S3', { type: 's3' }, ['x-amz-server-side-encryption: AES256']],
    [
      'KMS',
      { type: 'kms', keyId: 'alias/salvor', bucketKey: true },
      [
        'x-amz-server-side-encryption-aws-kms-key-id: alias/salvor',
        'x-amz-server-side-encryption-bucket-key-enabled: true',
        'x-amz-server-side-encryption: aws:kms',
      ],
    ],
  ] as const) {
    // No server that can be started here encrypts on its side: what it is asked is looked at on the way.
    test(`the service is asked to encrypt with ${how} whatever creates an object`, async () => {
      let sent = '';
      const watching = await proxy((toServer) => {
        sent += toServer.toString('latin1');
        return 'pass';
      });
      const store = open('plain', { endpoint: watching.endpoint, prefix: how, serverSideEncryption });
      await store.check(signal());
      await store.put('encrypted/node/small', bodyOf(1000), { signal: signal() });
      await store.put('encrypted/node/large', bodyOf(20_000_000), { signal: signal() });
      watching.close();
      const heads = sent.match(/^(?:PUT|POST) .* HTTP\/1\.1\r\n(?:.+\r\n)*/gm) ?? [];
      const creating = heads.filter((head) => /^POST .*[?&]uploads|^PUT (?!.*partNumber=)/.test(head));
      const asked = creating.map((head) =>
        head
          .split('\r\n')
          .filter((line) => /^x-amz-server-side-encryption/i.test(line))
          .sort(),
      );
      assert.equal(asked.length, 3, 'the look at the bucket, the small object and the upload of the large one');
      for (const lines of asked) assert.deepEqual(lines, [...headers].sort());
    });
  }

  test('the server is killed during a put: StoreUnavailable, not a hang', async () => {
    const own = await startS3Server();
    assert.ok(own);
    const s3 = new S3Client({
      endpoint: own.endpoint,
      credentials: own.credentials,
      region: 'us-east-1',
      forcePathStyle: true,
    });
    await s3.send(new CreateBucketCommand({ Bucket: 'plain' }));
    s3.destroy();
    async function* source(): AsyncGenerator<Uint8Array, void> {
      yield* bodyOf(40_000_000);
      own?.process.kill('SIGKILL');
      yield* bodyOf(200_000_000);
    }
    const store = open('plain', { endpoint: own.endpoint, secrets: { credentials: own.credentials } });
    const put = store.put('killed/node/snapshot.db', source(), { signal: signal() });
    await assert.rejects(put, isFailure('StoreUnavailable', /killed\/node\/snapshot\.db/));
    await own.stop();
  });

  test('a service with a certificate of its own authority is reached with "ca", and not without', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'salvor-ca-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const make = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-out',
      cert,
      '-keyout',
      key,
      ...subject,
    ];
    await promisify(execFile)('openssl', make);
    const own = await startS3Server({ tls: { cert, key } });
    assert.ok(own);
    const { endpoint, credentials } = own;
    const trusting = open('nowhere', { endpoint, secrets: { credentials, ca: await readFile(cert, 'utf8') } });
    await assert.rejects(trusting.check(signal()), isFailure('StoreMissing', /create the bucket/));
    const strange = open('nowhere', { endpoint, secrets: { credentials } });
    await assert.rejects(strange.check(signal()), isFailure('StoreUnavailable', /certificate/));
    await own.stop();
    await rm(folder, { recursive: true });
  });
});
