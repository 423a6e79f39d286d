import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { etcdutlOn } from '../../adapters/snapshots/find-etcdutl.ts';
import { hostFor } from '../../adapters/hosts/find.ts';
import type { Host } from '../../adapters/hosts/host.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { provideTool } from '../../adapters/binaries/binaries.ts';
import { type Sshd, sshdMissing, startSshd } from '../support/sshd.ts';

const missing = await sshdMissing();
const BROUGHT = '/var/tmp/salvor';

describe('etcdutl on a node behind SSH', { skip: missing ?? false }, () => {
  let sshd: Sshd;
  let directory: string;
  let signal: AbortSignal;
  before(async () => {
    sshd = await startSshd();
    directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  });
  after(async () => {
    await sshd.stop();
    await rm(directory, { recursive: true });
  });
  beforeEach(() => {
    signal = AbortSignal.timeout(120_000);
  });

  function nodeWith(etcd: Partial<ClusterNode['etcd']>): { node: ClusterNode; host: Host } {
    const node = { ...sshd.node, etcd: { ...sshd.node.etcd, dataDir: join(directory, 'no-etcd'), ...etcd } };
    return { node, host: hostFor(node) };
  }

  /** A program of some version, which says so in etcdutl's words and in etcd's. */
  async function program(name: string, version: string): Promise<string> {
    const folder = join(directory, version);
    await mkdir(folder, { recursive: true });
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\necho "${name} version: ${version}"\n`);
    await chmod(path, 0o755);
    return path;
  }

  test('that the configuration names is used, and known not to raise the revision when its help does not name that; one that does not run is refused', async () => {
    const path = await program('etcdutl', '3.5.8');
    const { node, host } = nodeWith({ etcdutl: path });
    const expected = { name: 'etcdutl', path, version: '3.5.8', source: 'configuration', raisesRevision: false };
    assert.deepEqual(await etcdutlOn(node, host, signal), expected);
    const missing = nodeWith({ etcdutl: join(directory, 'nowhere') });
    await assert.rejects(etcdutlOn(missing.node, missing.host, signal), {
      type: 'ToolMissing',
      message: /does not run/,
    });
  });

  test("is the worker's own, brought along, when there is no other; a copy that was tampered with is replaced", async () => {
    const { node, host } = nodeWith({});
    const own = await provideTool('etcdutl');
    const tool = await etcdutlOn(node, host, signal);
    if (tool.path === 'etcdutl') return;
    assert.equal(tool.path, join(BROUGHT, `etcdutl-${own.version}`));
    assert.equal(tool.version, own.version);
    const bytes = await readFile(own.path);
    assert.ok(bytes.equals(await readFile(tool.path)));
    const { ino } = await stat(tool.path);
    await etcdutlOn(node, host, signal);
    assert.equal((await stat(tool.path)).ino, ino);
    await rm(tool.path);
    await writeFile(tool.path, '#!/bin/sh\necho "etcdutl version: 3.6.16"\n', { mode: 0o755 });
    await etcdutlOn(node, host, signal);
    assert.ok(bytes.equals(await readFile(tool.path)));
  });

  test('is not brought along into a folder in which others may write', async () => {
    const { node, host } = nodeWith({});
    if ((await etcdutlOn(node, host, signal)).path === 'etcdutl') return;
    await chmod(BROUGHT, 0o777);
    try {
      await assert.rejects(etcdutlOn(node, host, signal), { type: 'UnsafeState', message: /\/var\/tmp\/salvor/ });
    } finally {
      await chmod(BROUGHT, 0o755);
    }
  });

  test('is the one beside the etcd that runs, and never one of another release', async () => {
    const etcd = await provideTool('etcd');
    const own = await provideTool('etcdutl');
    const folder = join(directory, 'opt');
    await mkdir(folder);
    await copyFile(etcd.path, join(folder, 'etcd'));
    await copyFile(own.path, join(folder, 'etcdutl'));
    const dataDir = join(directory, 'data');
    const urls = ['client', 'peer'].map((kind) => `--listen-${kind}-urls=http://127.0.0.1:0`);
    const child = spawn(
      join(folder, 'etcd'),
      [`--data-dir=${dataDir}`, '--advertise-client-urls=http://127.0.0.1:0', ...urls],
      { stdio: 'ignore' },
    );
    try {
      const { node, host } = nodeWith({ dataDir });
      while (!(await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).startsWith(join(folder, 'etcd'))) await delay(20);
      const tool = await etcdutlOn(node, host, signal);
      assert.equal(tool.version, own.version);
      if (tool.path === 'etcdutl') return;
      assert.equal(tool.source, 'a copy of the one next to its etcd');
      await rm(join(folder, 'etcdutl'));
      await copyFile(await program('etcdutl', '3.5.21'), join(folder, 'etcdutl'));
      assert.equal((await etcdutlOn(node, host, signal)).source, "the worker's, copied to the node");
    } finally {
      child.kill('SIGKILL');
    }
  });
});
