/** What real backups leave in a store, read with no part of Salvor: age, zstd, etcdutl and sha256sum. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { BackupReport } from '../../domain/operations/backup.ts';
import { etcdctl } from '../../playground/handle.ts';
import { provideTool } from '../../adapters/binaries/binaries.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, startWorld, type World } from '../support/world.ts';

const run = promisify(execFile);
/** As on any machine: Debian's own commands, and nothing of this checkout. */
const env = { PATH: '/usr/local/bin:/usr/bin:/bin' };

const statusSchema = z.object({ revision: z.number(), totalKey: z.number(), hash: z.number() });

let world: World;
let folder = '';
let etcdutl = '';
before(async () => {
  world = await startWorld({ kubernetes: false });
  folder = await mkdtemp(join(tmpdir(), 'salvor-formats-'));
  etcdutl = (await provideTool('etcdutl')).path;
  await putKeys(world.etcd(), 400);
});
after(async () => {
  await world.down();
  await rm(folder, { recursive: true, force: true });
});

/** Takes a backup with these settings and gives it, its manifest's snapshot and where that lies. */
async function backUp(settings: { compression: string; encryption?: object }) {
  await world.configure(({ clusters }) => {
    const { encryption: _, ...rest } = clusters[cluster] ?? { nodes: [] };
    clusters[cluster] = { ...rest, ...settings };
  });
  const report = await world.run<BackupReport>('backup', { cluster });
  const key = report.artifacts.find(({ kind }) => kind === 'snapshot')?.copies[0]?.key ?? '';
  return { report, key, path: join(world.playground.localStore, key) };
}

/** What any etcdutl says of a file. */
async function statusOf(path: string) {
  const { stdout } = await run(etcdutl, ['snapshot', 'status', path, '--write-out', 'json'], { env });
  return statusSchema.parse(JSON.parse(stdout));
}

/** Whether every tool runs; else why the tests that need them are left out. */
async function lacking(...tools: string[]): Promise<string | false> {
  const tried = await Promise.allSettled(tools.map(async (tool) => await run(tool, ['--version'], { env })));
  const missing = tools.filter((_tool, index) => tried[index]?.status === 'rejected');
  return missing.length > 0 && `not installed: ${missing.join(', ')} (Debian packages age, zstd and jq)`;
}

test('without compression and encryption the snapshot is what etcd streamed: its own tool reads and restores it, hash and all', async () => {
  const { report, key, path } = await backUp({ compression: 'none' });
  assert.match(key, /\/snapshot-\d{8}-\d{6}\.db$/);
  const bytes = await readFile(path);
  assert.equal(bytes.length % 512, 32, 'pages, and a hash');
  const sha256 = createHash('sha256').update(bytes.subarray(0, -32)).digest();
  assert.ok(sha256.equals(bytes.subarray(-32)), "etcd's own hash is at its end");
  const status = await statusOf(path);
  assert.deepEqual([String(status.revision), status.totalKey], [report.revision, report.totalKeys]);

  const saved = join(folder, 'etcdctl.db');
  await etcdctl(world.playground, report.node, ['snapshot', 'save', saved]);
  assert.deepEqual(await statusOf(saved), status, 'the same keys as `etcdctl snapshot save` writes');

  await run(etcdutl, ['snapshot', 'restore', path, '--data-dir', join(folder, 'restored')], { env });
});

describe('Compressed and encrypted', { skip: await lacking('age', 'age-keygen', 'zstd', 'jq') }, () => {
  let identity = '';
  let recipient = '';
  before(async () => {
    identity = join(folder, 'identity.txt');
    await run('age-keygen', ['-o', identity], { env });
    recipient = (await run('age-keygen', ['-y', identity], { env })).stdout.trim();
  });

  for (const [what, compression, encrypted, suffix, command] of [
    ['compressed', 'zstd', false, '.db.zst', 'zstd -d < "$STORED"'],
    ['encrypted', 'none', true, '.db.age', 'age -d -i "$IDENTITY" "$STORED"'],
    ['both', 'zstd', true, '.db.zst.age', 'age -d -i "$IDENTITY" "$STORED" | zstd -d'],
  ] as const) {
    test(`${what}: \`${command}\` gives what etcdutl reads, and the digests are the manifest's`, async () => {
      const encryption = { recipients: [recipient] };
      const { report, path } = await backUp({ compression, ...(encrypted && { encryption }) });
      assert.ok(path.endsWith(suffix), path);
      const plain = join(folder, `${suffix.slice(1)}.plain`);
      const script = `set -eu; ${command} > "$PLAIN"; sha256sum < "$STORED"; sha256sum < "$PLAIN"; jq -r '.artifacts[] | select(.kind == "snapshot") | .stored.sha256, .content.sha256' "$MANIFEST"; jq -cS 'del(.digest)' "$MANIFEST" | sha256sum; jq -r .digest "$MANIFEST"`;
      const manifest = join(path, '..', `backup-${report.backup}.json`);
      const { stdout } = await run('sh', ['-c', script], {
        env: { ...env, STORED: path, PLAIN: plain, IDENTITY: identity, MANIFEST: manifest },
      });
      const [stored, content, storedSaid, contentSaid, digest, digestSaid] = stdout
        .split('\n')
        .map((line) => line.split(' ')[0]);
      assert.deepEqual([stored, content, digest], [storedSaid, contentSaid, digestSaid]);
      const { revision, totalKey } = await statusOf(plain);
      assert.deepEqual([String(revision), totalKey], [report.revision, report.totalKeys]);
    });
  }
});
