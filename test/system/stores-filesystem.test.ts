import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { filesystemStore } from '../../adapters/stores/filesystem/store.ts';
import { bodyOf, isFailure, signal } from '../support/store-contract.ts';

const run = promisify(execFile);

async function withFolder(work: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'salvor-store-'));
  try {
    await work(path);
  } finally {
    await rm(path, { recursive: true });
  }
}

async function allFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('A filesystem store', () => {
  test('on a disk that fills up says NoSpace and gives the room back', async (t) => {
    await withFolder(async (path) => {
      const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path]).catch(
        (error: unknown) => error,
      );
      if (mounted instanceof Error) return t.skip(`a small disk can't be mounted: ${mounted.message}`);
      try {
        const store = filesystemStore({ name: 'small', type: 'filesystem', path });
        const put = store.put('prod/node/snapshot.db', bodyOf(8_000_000), { signal: signal() });
        await assert.rejects(put, isFailure('NoSpace', /store "small", prod\/node\/snapshot\.db: ENOSPC.*make room/));
        assert.deepEqual(await allFiles(path), []);
        await store.put('prod/node/snapshot.db', bodyOf(3_000_000), { signal: signal() });
      } finally {
        await run('umount', [path]);
      }
    });
  });

  test('whose writer is killed shows nothing of the object, and the part is swept at once', async () => {
    await withFolder(async (path) => {
      const script = fileURLToPath(new URL('../support/put-forever.ts', import.meta.url));
      const writer = spawn(process.execPath, [script, path], { stdio: ['ignore', 'ignore', 'inherit'] });
      const exited = once(writer, 'exit');
      const deadline = Date.now() + 30_000;
      let written = 0;
      while (written < 3_000_000) {
        assert.ok(Date.now() < deadline && writer.exitCode === null, 'the writer wrote nothing');
        await delay(20);
        const [part] = await allFiles(path);
        written = part === undefined ? 0 : (await stat(part)).size;
      }
      const store = filesystemStore({ name: 'local', type: 'filesystem', path });
      assert.equal(await store.sweepParts('', 86_400_000, signal()), 0);
      writer.kill('SIGKILL');
      await exited;
      assert.equal(await store.head('prod/node/snapshot.db', signal()), undefined);
      for await (const object of store.list('', signal())) assert.fail(`listed ${object.key}`);
      assert.equal(await store.sweepParts('', 86_400_000, signal()), 1);
      assert.deepEqual(await allFiles(path), []);
    });
  });
});
