import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { filesystemStore } from '../../../adapters/stores/filesystem/store.ts';
import { bodyOf, collect, isFailure, signal, storeContract } from '../../support/store-contract.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-store-'));
});
after(() => rm(root, { recursive: true }));

function store(path = root) {
  return filesystemStore({ name: 'local', type: 'filesystem', path });
}

async function everything(): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

storeContract('A directory', () => Promise.resolve({ store: store(), everything }));

describe('A filesystem store', () => {
  test('keeps everything to its owner', async () => {
    await store().put('modes/node/snapshot.db', bodyOf(1), { signal: signal() });
    for (const [path, mode] of [
      ['modes', 0o700],
      ['modes/node', 0o700],
      ['modes/node/snapshot.db', 0o600],
    ] as const) {
      assert.equal((await stat(join(root, path))).mode & 0o777, mode, path);
    }
  });

  test('never creates its root: the disk may not be mounted', async () => {
    const missing = store(join(root, 'unmounted'));
    for (const act of [
      () => missing.check(signal()),
      () => missing.put('a/b', bodyOf(1), { signal: signal() }),
      () => missing.get('a/b', signal()),
      () => missing.read('a/b', signal()),
      () => missing.remove('a/b', signal()),
      () => missing.sweepParts('', 0, signal()),
      async () => {
        for await (const _object of missing.list('', signal()));
      },
    ]) {
      await assert.rejects(act, isFailure('StoreMissing', /unmounted is not a directory; create it/));
    }
    await assert.rejects(stat(join(root, 'unmounted')));
  });

  test('a file in place of the root is no root', async () => {
    const path = join(root, 'a-file');
    await writeFile(path, '');
    await assert.rejects(store(path).check(signal()), isFailure('StoreMissing', /not a directory/));
  });

  test('an object that shrinks while it is read ends with an error', async () => {
    const key = 'shrinks/node/snapshot.db';
    await store().put(key, bodyOf(50_000_000), { signal: signal() });
    const body = await store().get(key, signal());
    async function readSlowly(): Promise<void> {
      let first = true;
      for await (const _chunk of body) {
        if (first) await truncate(join(root, key), 30_000_000);
        first = false;
      }
    }
    await assert.rejects(readSlowly(), isFailure('StoreUnavailable', /ended after 30000000 bytes; expected 50000000/));
  });

  test('linked and hidden files are not listed, and a linked directory is refused', async () => {
    await mkdir(join(root, 'links'));
    await writeFile(join(root, 'links', 'real.db'), 'x');
    await writeFile(join(root, 'links', '.hidden'), 'x');
    await symlink('real.db', join(root, 'links', 'latest'));
    const keys: string[] = [];
    for await (const { key } of store().list('links/', signal())) keys.push(key);
    assert.deepEqual(keys, ['links/real.db']);
    await symlink('/etc', join(root, 'links', 'elsewhere'));
    const list = store().list('links/', signal());
    await assert.rejects(
      list[Symbol.asyncIterator]().next(),
      isFailure('StoreMissing', /elsewhere is a symbolic link/),
    );
    await rm(join(root, 'links', 'elsewhere'));
  });

  test('the part of a killed process is swept, one that may still be written stays', async () => {
    const path = join(root, 'parts');
    await mkdir(join(path, 'node'), { recursive: true });
    const ended = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    await once(ended, 'exit');
    const uuid = '00000000-0000-4000-8000-000000000000';
    const parts = {
      killed: `.part-${hostname()}-${ended.pid}-${uuid}-snapshot.db`,
      running: `.part-${hostname()}-${process.ppid}-${uuid}-snapshot.db`,
      elsewhere: `.part-another-host-${ended.pid}-${uuid}-snapshot.db`,
      old: `.part-an-old-host-${ended.pid}-${uuid}-snapshot.db`,
    };
    for (const name of [...Object.values(parts), 'snapshot.db', '.part-of-something-else']) {
      await writeFile(join(path, 'node', name), 'x');
    }
    await utimes(join(path, 'node', parts.old), 1, 1);
    assert.equal(await store(path).sweepParts('another/', 0, signal()), 0);
    assert.equal(await store(path).sweepParts('node/snapshot.db.zst', 0, signal()), 0);
    assert.equal(await store(path).sweepParts('', 86_400_000, signal()), 2);
    const left = await readdir(join(path, 'node'));
    assert.deepEqual(left.sort(), ['.part-of-something-else', parts.elsewhere, parts.running, 'snapshot.db'].sort());
  });

  test('a sweep leaves the part that this process is writing', async () => {
    const path = join(root, 'own-part');
    await mkdir(path);
    async function* sweeping(): AsyncGenerator<Uint8Array, void> {
      yield* bodyOf(3_000_000);
      assert.equal(await store(path).sweepParts('', 0, signal()), 0);
      yield* bodyOf(1_000_000);
    }
    const key = 'sweep/node/snapshot.db';
    assert.equal((await store(path).put(key, sweeping(), { signal: signal() })).bytes, 4_000_000);
    assert.equal((await collect(await store(path).get(key, signal()))).length, 4_000_000);
  });

  test('a place that the worker may not write to, or not even look into, is told as such', async () => {
    const readOnly = join(root, 'read-only');
    const closed = join(root, 'closed');
    for (const path of [readOnly, closed]) await mkdir(path);
    await chmod(root, 0o755);
    await chmod(readOnly, 0o555);
    await chmod(closed, 0o000);
    const user = process.geteuid?.();
    // Root may write anywhere.
    if (user === 0) process.seteuid?.(65_534);
    try {
      for (const path of [readOnly, closed]) {
        await assert.rejects(store(path).check(signal()), isFailure('AccessDenied', /\/.salvor-check-/));
        const put = store(path).put('a/b', bodyOf(1), { signal: signal() });
        await assert.rejects(put, isFailure('AccessDenied', /a\/b/));
      }
    } finally {
      if (user === 0) process.seteuid?.(0);
    }
  });
});
