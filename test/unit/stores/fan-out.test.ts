import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { copyArtifact, readBack } from '../../../adapters/stores/copy.ts';
import { putToAll } from '../../../adapters/stores/fan-out.ts';
import { filesystemStore } from '../../../adapters/stores/filesystem/store.ts';
import type { Store } from '../../../adapters/stores/store.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { bodyOf, collect, isFailure, signal } from '../../support/store-contract.ts';

const KEY = 'prod/10.0.0.1/snapshot.db';
const BYTES = 30_000_000;

let root = '';
let made = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-fan-out-'));
});
after(() => rm(root, { recursive: true }));

async function directory(name: string): Promise<Store> {
  const path = join(root, `${(made += 1)}-${name}`);
  await mkdir(path);
  return filesystemStore({ name, type: 'filesystem', path });
}

/** A store whose put reads as `put` says; everything else is a directory's. */
async function odd(name: string, put: Store['put']): Promise<Store> {
  return { ...(await directory(name)), put };
}

async function files(): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && [made - 1, made].some((last) => entry.parentPath.includes(`/${last}-`)))
    .map((entry) => entry.name);
}

test('every store gets every byte', async () => {
  const stores = [await directory('a'), await directory('b'), await directory('c')];
  const progress: number[] = [];
  const results = await putToAll(stores, KEY, bodyOf(BYTES), {
    signal: signal(),
    onProgress: (bytes) => progress.push(bytes),
  });
  assert.deepEqual(
    results,
    ['a', 'b', 'c'].map((store) => ({ store, state: 'complete', bytes: BYTES })),
  );
  assert.equal(progress.at(-1), BYTES);
});

test('a store that fails at once, one that fails on the way and one that fails at the end do not fail the others', async () => {
  const broken = new SalvorError('NoSpace', 'full');
  const stores = [
    await odd('at-once', () => Promise.reject(broken)),
    await odd('on-the-way', async (_key, body) => {
      for await (const _chunk of body) throw broken;
      return { bytes: 0 };
    }),
    await directory('good'),
    await odd('at-the-end', async (_key, body) => {
      for await (const _chunk of body);
      throw new Error('odd');
    }),
  ];
  const results = await putToAll(stores, KEY, bodyOf(BYTES), { signal: signal() });
  assert.deepEqual(
    results.map(({ state, error }) => [state, error?.type]),
    [
      ['failed', 'NoSpace'],
      ['failed', 'NoSpace'],
      ['complete', undefined],
      ['failed', 'StoreUnavailable'],
    ],
  );
});

test('the slowest store sets the pace, within a bounded buffer', async () => {
  let given = 0;
  let taken = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of bodyOf(BYTES * 2)) {
      given += chunk.length;
      assert.ok(given - taken < 12_000_000, `${given - taken} bytes ahead of the slowest`);
      yield chunk;
    }
  }
  const slow = await odd('slow', async (_key, body) => {
    for await (const chunk of body) {
      await new Promise((resolve) => setImmediate(resolve));
      taken += chunk.length;
    }
    return { bytes: taken };
  });
  const results = await putToAll([await directory('fast'), slow], KEY, counted(), { signal: signal() });
  assert.deepEqual(
    results.map(({ state }) => state),
    ['complete', 'complete'],
  );
});

test(
  'a store that hangs is given up after a while, and cannot complete with what it got',
  { timeout: 30_000 },
  async () => {
    const hung = Promise.withResolvers<void>();
    const late: unknown[] = [];
    const hanging = await odd('hanging', async (_key, body) => {
      for await (const _chunk of body) await hung.promise;
      late.push('completed');
      return { bytes: 1 };
    });
    const good = await directory('good');
    const results = await putToAll([hanging, good], KEY, bodyOf(BYTES), { signal: signal(), stallTimeoutMs: 3_000 });
    assert.deepEqual(
      results.map(({ state }) => state),
      ['failed', 'complete'],
    );
    isFailure('StoreUnavailable', /took nothing of .* for 3 s/)(results[0]?.error);
    hung.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(late, []);
  },
);

test('a source that fails fails the whole, and no store keeps anything', async () => {
  const stores = [await directory('a'), await directory('b')];
  const broken = new SalvorError('SnapshotInterrupted', 'the member went away');
  async function* source(): AsyncGenerator<Uint8Array, void> {
    yield* bodyOf(BYTES);
    throw broken;
  }
  await assert.rejects(putToAll(stores, KEY, source(), { signal: signal() }), (error) => error === broken);
  assert.deepEqual(await files(), []);
});

test('an abort while one store has finished and another has not leaves no copy in either', async () => {
  const controller = new AbortController();
  const reason = new Error('cancelled');
  const fast = await directory('fast');
  const slow = await odd('slow', async (_key, body, options) => {
    for await (const _chunk of body);
    await fast.head(KEY, signal());
    while (!(await fast.head(KEY, signal()))) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(reason);
    options.signal.throwIfAborted();
    return { bytes: 0 };
  });
  await assert.rejects(
    putToAll([fast, slow], KEY, bodyOf(1000), { signal: controller.signal }),
    (error) => error === reason,
  );
  assert.equal(await fast.head(KEY, signal()), undefined);
});

test('when every store has failed the source is closed early, and each failure is told', async () => {
  const broken = new SalvorError('NoSpace', 'full');
  let given = 0;
  let closed = false;
  async function* source(): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        given += 1_000_000;
        yield Buffer.alloc(1_000_000);
      }
    } finally {
      closed = true;
    }
  }
  const failing = () =>
    odd('failing', async (_key, body) => {
      for await (const _chunk of body) if (given > 5_000_000) throw broken;
      return { bytes: 0 };
    });
  const results = await putToAll([await failing(), await failing()], KEY, source(), { signal: signal() });
  assert.deepEqual(
    results.map(({ error }) => error),
    [broken, broken],
  );
  assert.ok(closed);
  assert.ok(given < 40_000_000);
});

test('a copy is made only of the right bytes, and a right one that is there already is enough', async () => {
  const [from, to] = [await directory('from'), await directory('to')];
  const content = await collect(bodyOf(BYTES));
  const digest = { bytes: BYTES, sha256: createHash('sha256').update(content).digest('hex') };
  await from.put(KEY, bodyOf(BYTES), { signal: signal() });
  const wrong = { ...digest, sha256: '0'.repeat(64) };
  await assert.rejects(copyArtifact(from, to, KEY, wrong, signal()), isFailure('BackupCorrupt', /in store "from"/));
  assert.equal(await to.head(KEY, signal()), undefined);
  await copyArtifact(from, to, KEY, digest, signal());
  await copyArtifact(from, to, KEY, digest, signal());
  await readBack(to, KEY, digest, signal());
  await assert.rejects(readBack(to, KEY, wrong, signal()), isFailure('BackupCorrupt', /in store "to"/));
  const other = await directory('other');
  await other.put(KEY, bodyOf(5), { signal: signal() });
  await assert.rejects(copyArtifact(from, other, KEY, digest, signal()), isFailure('BackupCorrupt', /has 5 bytes/));
});
