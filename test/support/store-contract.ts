/** The tests that every kind of store must pass. */
import type { StoredObject } from '../../domain/backups/found-backup.ts';
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import type { Store } from '../../adapters/stores/store.ts';
import { type FailureType, SalvorError } from '../../domain/errors.ts';

export interface ContractedStore {
  store: Store;
  /** Everything in the store, even if no list shows it: objects, partial files, unfinished uploads. */
  everything: () => Promise<string[]>;
}

/** Larger than one piece that a store sends. */
const LARGE_BYTES = 40 * 1024 * 1024 + 5;
const CHUNK = randomBytes(1024 * 1024);

export async function* bodyOf(bytes: number): AsyncGenerator<Uint8Array, void> {
  for (let left = bytes; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, Math.min(left, CHUNK.length));
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** For `assert.rejects`: expects a SalvorError of this type. */
export function isFailure(type: FailureType, message: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof SalvorError, `expected a SalvorError, got ${String(error)}`);
    assert.equal(error.type, type, error.message);
    assert.match(error.message, message);
    return true;
  };
}

export function signal(): AbortSignal {
  return AbortSignal.timeout(60_000);
}

async function keysOf(list: AsyncIterable<StoredObject>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of list) keys.push(key);
  return keys;
}

export function storeContract(title: string, open: () => Promise<ContractedStore>): void {
  // Each test has its own cluster name, so that tests don't see each other's objects.
  function place(): string {
    return `c-${randomUUID()}/10.0.0.1/`;
  }

  describe(`${title}, as a store`, () => {
    test('the store says what time it is, and leaves nothing behind by it', async () => {
      const { store, everything } = await open();
      const before = await everything();
      const at = await store.now(signal());
      assert.ok(at !== undefined && Math.abs(at.getTime() - Date.now()) < 60_000, String(at));
      assert.deepEqual(await everything(), before);
    });

    for (const bytes of [0, 1, 100_000, LARGE_BYTES]) {
      test(`${bytes} bytes come back as they were put, with their size`, async () => {
        const { store } = await open();
        const key = `${place()}snapshot.db`;
        const progress: number[] = [];
        const put = await store.put(key, bodyOf(bytes), {
          signal: signal(),
          onProgress: (seen) => progress.push(seen),
        });
        const expected = await collect(bodyOf(bytes));
        assert.deepEqual(put, { bytes });
        assert.equal(progress.at(-1) ?? 0, bytes);
        assert.ok((await collect(await store.get(key, signal()))).equals(expected));
        const head = await store.head(key, signal());
        assert.equal(head?.bytes, bytes);
        assert.ok(Math.abs(Date.now() - (head?.modifiedAt.getTime() ?? 0)) < 60_000);
        assert.deepEqual(await keysOf(store.list(key, signal())), [key]);
      });
    }

    test('an object that is there is never overwritten', async () => {
      const { store } = await open();
      const key = `${place()}backup.json`;
      await store.put(key, Readable.from([Buffer.from('first')]), { signal: signal() });
      await assert.rejects(
        store.put(key, bodyOf(1000), { signal: signal() }),
        isFailure('ArtifactExists', /backup\.json/),
      );
      assert.equal(Buffer.from((await store.read(key, signal())) ?? []).toString(), 'first');
    });

    test('a note is replaced whole, whether it was there or not, and nothing else is left', async () => {
      const { store, everything } = await open();
      const at = place();
      const key = `${at}verified.json`;
      for (const text of ['first, and longer', 'second', '']) {
        await store.replace(key, Buffer.from(text), signal());
        assert.equal(Buffer.from((await store.read(key, signal())) ?? []).toString(), text);
      }
      assert.deepEqual(await keysOf(store.list(at, signal())), [key]);
      // A versioned bucket keeps replaced objects, but nothing has another name.
      assert.ok((await everything()).filter((name) => name.includes(at)).every((name) => name.includes(key)));
      const cancelled = AbortSignal.abort(new Error('cancelled'));
      await assert.rejects(store.replace(key, Buffer.from('third'), cancelled), /cancelled/);
      assert.equal((await store.head(key, signal()))?.bytes, 0);
    });

    test('a reader sees the old note or the new one, never a part, while it is replaced again and again', async () => {
      const { store } = await open();
      const key = `${place()}verified.json`;
      const notes = ['a', 'b'].map((letter) => Buffer.from(letter.repeat(200_000)));
      await store.replace(key, notes[0] ?? Buffer.alloc(0), signal());
      const written = new AbortController();
      async function write(): Promise<void> {
        for (let round = 0; round < 10; round += 1) {
          for (const note of notes) await store.replace(key, note, signal());
        }
        written.abort();
      }
      async function read(): Promise<void> {
        while (!written.signal.aborted) {
          const seen = Buffer.from((await store.read(key, signal())) ?? []);
          assert.ok(
            notes.some((note) => note.equals(seen)),
            `${seen.length} bytes were seen`,
          );
        }
      }
      await Promise.all([write(), read()]);
    });

    test('of two writers of one key at the same time exactly one wins, and its bytes are whole', async () => {
      const { store } = await open();
      const key = `${place()}snapshot.db`;
      const sizes = [LARGE_BYTES, LARGE_BYTES + 1];
      const puts = await Promise.allSettled(sizes.map((size) => store.put(key, bodyOf(size), { signal: signal() })));
      const won = puts.filter((put) => put.status === 'fulfilled');
      assert.equal(won.length, 1);
      const lost = puts.find((put) => put.status === 'rejected');
      isFailure('ArtifactExists', /snapshot\.db/)(lost?.reason);
      assert.equal((await store.head(key, signal()))?.bytes, won[0]?.value.bytes);
    });

    for (const [when, bytes] of [
      ['at once', 0],
      ['late', LARGE_BYTES],
    ] as const) {
      test(`a source that fails ${when} leaves nothing behind, and its error comes out`, async () => {
        const { store, everything } = await open();
        const at = place();
        const broken = new SalvorError('SnapshotInterrupted', 'the member went away');
        async function* source(): AsyncGenerator<Uint8Array, void> {
          yield* bodyOf(bytes);
          throw broken;
        }
        await assert.rejects(
          store.put(`${at}snapshot.db`, source(), { signal: signal() }),
          (error) => error === broken,
        );
        assert.deepEqual(
          (await everything()).filter((name) => name.includes(at)),
          [],
        );
      });

      test(`an abort that comes ${when} leaves nothing behind, and closes the source`, async () => {
        const { store, everything } = await open();
        const at = place();
        const controller = new AbortController();
        const reason = new Error('cancelled');
        let closed = false;
        async function* source(): AsyncGenerator<Uint8Array, void> {
          try {
            yield* bodyOf(bytes);
            setImmediate(() => controller.abort(reason));
            for (;;) {
              await new Promise((resolve) => setImmediate(resolve));
              yield CHUNK;
            }
          } finally {
            closed = true;
          }
        }
        const put = store.put(`${at}snapshot.db`, source(), { signal: controller.signal });
        await assert.rejects(put, (error) => error === reason);
        assert.deepEqual(
          (await everything()).filter((name) => name.includes(at)),
          [],
        );
        assert.ok(closed);
      });
    }

    test('what is not there is missing for get, undefined for read and head, and absent for remove', async () => {
      const { store } = await open();
      const key = `${place()}snapshot.db`;
      await assert.rejects(store.get(key, signal()), isFailure('ArtifactMissing', /snapshot\.db/));
      assert.equal(await store.read(key, signal()), undefined);
      assert.equal(await store.head(key, signal()), undefined);
      assert.equal(await store.remove(key, signal()), 'absent');
    });

    test('a removed object is gone, and can be put again', async () => {
      const { store } = await open();
      const key = `${place()}snapshot.db`;
      await store.put(key, bodyOf(10), { signal: signal() });
      assert.equal(await store.remove(key, signal()), 'removed');
      assert.equal(await store.head(key, signal()), undefined);
      assert.deepEqual(await keysOf(store.list(key, signal())), []);
      await store.put(key, bodyOf(11), { signal: signal() });
    });

    test('a list has the objects of its prefix alone, in key order, over more than a page', async () => {
      const { store } = await open();
      const at = place();
      const keys = ['a/1', 'a-b', 'a.b/1', 'a0', 'b', ...Array.from({ length: 1100 }, (_, index) => `many/${index}`)];
      for (let from = 0; from < keys.length; from += 20) {
        const some = keys.slice(from, from + 20);
        await Promise.all(some.map((key) => store.put(`${at}${key}`, bodyOf(1), { signal: signal() })));
      }
      assert.deepEqual(await keysOf(store.list(`${at}a`, signal())), [`${at}a-b`, `${at}a.b/1`, `${at}a/1`, `${at}a0`]);
      const many = await keysOf(store.list(`${at}many/`, signal()));
      assert.equal(many.length, 1100);
      assert.deepEqual(many, [...many].sort());
      assert.deepEqual(await keysOf(store.list(`${at}nothing`, signal())), []);
    });

    test('read refuses what is too large for a manifest', async () => {
      const { store } = await open();
      const key = `${place()}backup.json`;
      await store.put(key, bodyOf(4 * 1024 * 1024 + 1), { signal: signal() });
      await assert.rejects(store.read(key, signal()), isFailure('BackupCorrupt', /at most 4194304/));
    });

    test('an abort ends a get and a list with the signal’s reason', async () => {
      const { store } = await open();
      const key = `${place()}snapshot.db`;
      await store.put(key, bodyOf(LARGE_BYTES), { signal: signal() });
      const controller = new AbortController();
      const reason = new Error('cancelled');
      const body = await store.get(key, controller.signal);
      async function abortAtFirst(): Promise<void> {
        for await (const _chunk of body) controller.abort(reason);
      }
      await assert.rejects(abortAtFirst(), (error) => error === reason);
      await assert.rejects(keysOf(store.list(key, controller.signal)), (error) => error === reason);
    });

    test('a check writes, reads and leaves nothing', async () => {
      const { store, everything } = await open();
      const before = await everything();
      await store.check(signal());
      assert.deepEqual(await everything(), before);
    });

    for (const key of ['', '/etc/passwd', '../x', 'a/../../x', 'a//b', 'a/', 'a/./b', 'a/.hidden', 'a\0b']) {
      test(`the key ${JSON.stringify(key)} is refused`, async () => {
        const { store } = await open();
        await assert.rejects(
          store.put(key, bodyOf(1), { signal: signal() }),
          isFailure('InvalidInput', /does not accept/),
        );
        await assert.rejects(store.replace(key, CHUNK, signal()), isFailure('InvalidInput', /does not accept/));
        await assert.rejects(store.get(key, signal()), isFailure('InvalidInput', /does not accept/));
        await assert.rejects(store.remove(key, signal()), isFailure('InvalidInput', /does not accept/));
      });
    }
  });
}
