import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { localHost } from '../../adapters/hosts/local.ts';
import { describeHost } from '../support/host-contract.ts';

describeHost('the machine of the worker as a host', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  return { host: localHost('m1'), directory, remove: () => rm(directory, { recursive: true }) };
});

test('a file system that is full is told from other failures, and nothing is left on it', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  const host = localHost('m1');
  const signal = AbortSignal.timeout(60_000);
  const mounted = await host.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', directory], { signal });
  try {
    if (mounted.exitCode !== 0) {
      context.skip(`a small file system can't be mounted here: ${mounted.stderr}`);
      return;
    }
    const body = Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(100_000, 'x')));
    const path = join(directory, 'snapshot.db');
    await assert.rejects(host.write(path, body, { mode: 0o600, signal }), {
      type: 'NoSpace',
      message: `m1: no space left to write ${path}; make room and retry`,
    });
    assert.deepEqual(await host.list(directory, signal), []);
  } finally {
    if (mounted.exitCode === 0) await host.run(['umount', directory], { signal });
    await rm(directory, { recursive: true });
  }
});
