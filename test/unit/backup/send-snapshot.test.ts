import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { SnapshotAttempt, WholeSnapshot } from '../../../adapters/backup/attempt.ts';
import { sendSnapshot } from '../../../adapters/backup/send-snapshot.ts';
import { filesystemStore } from '../../../adapters/stores/filesystem/store.ts';
import type { Store } from '../../../adapters/stores/store.ts';
import { signal } from '../../support/store-contract.ts';

const KEY = 'prod/10.0.0.1/snapshot-20261128-000000.db';
const CONTENT = Buffer.alloc(1_000_000, 'snapshot');
const DIGEST = { bytes: CONTENT.length, sha256: createHash('sha256').update(CONTENT).digest('hex') };
const WHOLE: WholeSnapshot = {
  backup: '20261128-000000',
  takenAt: '2026-11-28T00:00:00.000Z',
  key: KEY,
  compression: 'none',
  encrypted: false,
  content: DIGEST,
  stored: DIGEST,
  etcd: { version: '3.6.16', clusterId: '1', memberId: '2', revision: '7', totalKeys: 1, members: [] },
};

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-send-'));
});
after(async () => await rm(root, { recursive: true }));

async function directory(name: string, odd: Partial<Store> = {}): Promise<Store> {
  const path = await mkdtemp(join(root, `${name}-`));
  return { ...filesystemStore({ name, type: 'filesystem', path }), ...odd };
}

async function* body() {
  yield CONTENT;
}

async function send(stores: Store[], learn: () => Promise<WholeSnapshot>) {
  const attempts: SnapshotAttempt[] = [];
  const remember = (attempt: SnapshotAttempt) => void attempts.push(attempt);
  const sent = await sendSnapshot(stores, KEY, body(), () => DIGEST, learn, { signal: signal(), remember });
  return { copies: sent.copies, attempts };
}

test('what a store has whole is read back while it is learnt what the snapshot is', async () => {
  const order: string[] = [];
  const good = await directory('good');
  const watched: Store = {
    ...good,
    async get(key, aborted) {
      order.push('read back');
      return await good.get(key, aborted);
    },
  };
  const { copies } = await send([watched], async () => {
    await delay(200);
    order.push('learnt');
    return WHOLE;
  });
  assert.deepEqual(order, ['read back', 'learnt']);
  assert.deepEqual(copies, [{ store: 'good', state: 'complete', readBack: true }]);
});

test('a copy that comes back differently, or not at all, is left to be read again', async () => {
  const differs = await directory('differs', {
    async get() {
      return Readable.from([CONTENT.subarray(1)]);
    },
  });
  const silent = await directory('silent', {
    async get() {
      throw new Error('down');
    },
  });
  const { copies, attempts } = await send([differs, silent, await directory('good')], async () => WHOLE);
  assert.deepEqual(copies, [
    { store: 'differs', state: 'complete' },
    { store: 'silent', state: 'complete' },
    { store: 'good', state: 'complete', readBack: true },
  ]);
  assert.deepEqual(attempts.at(-1)?.complete?.toSorted(), ['differs', 'good', 'silent']);
});

test('when it can not be learnt what the snapshot is, nothing of it is left', async () => {
  const store = await directory('good');
  await assert.rejects(
    send([store], async () => {
      throw new Error('etcdutl refuses it');
    }),
    /etcdutl refuses it/,
  );
  assert.equal(await store.head(KEY, signal()), undefined);
});
