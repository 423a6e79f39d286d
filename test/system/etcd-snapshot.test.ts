import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openMember } from '../../adapters/etcd/client.ts';
import { restoreSnapshot, snapshotStatus } from '../../adapters/snapshots/etcdutl.ts';
import { checkSnapshot } from '../../adapters/snapshots/integrity.ts';
import { readSnapshot } from '../../adapters/etcd/snapshot-stream.ts';
import { localHost } from '../../adapters/hosts/local.ts';
import { provideTool } from '../../adapters/binaries/binaries.ts';
import { planMembers, startEtcdCluster, type TestCluster, type TestMember } from '../support/etcd-cluster.ts';
import { fill } from '../support/etcd-data.ts';

const run = promisify(execFile);
const signal = AbortSignal.timeout(600_000);
const host = localHost('this machine');
const MIB = 1024 * 1024;
const VALUES = 20;
const MANY_VALUES = 200;

let directory: string;
let cluster: TestCluster;
let member: TestMember;
let etcdutl: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
  cluster = await startEtcdCluster({ members: 1, directory, flags: ['--max-request-bytes=2097152'] });
  const [only] = cluster.members;
  assert.ok(only);
  member = only;
  await fill(member.clientUrl, VALUES, MIB);
  etcdutl = (await provideTool('etcdutl')).path;
});
after(async () => {
  await cluster?.stop();
  await rm(directory, { recursive: true });
});

function endpoint() {
  return { node: member.name, clientUrl: member.clientUrl };
}

async function save(path: string) {
  const checked = checkSnapshot(readSnapshot(endpoint(), signal), member.name, { failure: 'SnapshotInterrupted' });
  await pipeline(checked, createWriteStream(path, { mode: 0o600 }));
  return checked.digest();
}

describe('a snapshot', () => {
  test('is what `etcdctl snapshot save` writes: the same size and, by etcdutl, the same contents', async () => {
    const ours = join(directory, 'ours.db');
    const theirs = join(directory, 'theirs.db');
    const digest = await save(ours);
    const etcdctl = (await provideTool('etcdctl')).path;
    await run(etcdctl, ['--endpoints', member.clientUrl, 'snapshot', 'save', theirs]);
    assert.equal(digest?.bytes, (await stat(theirs)).size);
    const [seen, expected] = await Promise.all([
      snapshotStatus(host, etcdutl, ours, signal),
      snapshotStatus(host, etcdutl, theirs, signal),
    ]);
    assert.deepEqual(seen, expected);
    assert.equal(seen.totalKeys, VALUES);
    assert.equal(seen.revision, String(VALUES + 1));
  });

  test('restores to three members that form a cluster with the same keys, at a bumped and compacted revision', async () => {
    const file = join(directory, 'to-restore.db');
    await save(file);
    const plan = await planMembers(3, directory, 'restored');
    const initialCluster = plan.map(({ name, peerUrl }) => ({ name, peerUrl }));
    const BUMP = 1_000_000_000n;
    for (const { name, peerUrl, dataDir } of plan) {
      const order = {
        file,
        dataDir,
        memberName: name,
        peerUrl,
        initialCluster,
        clusterToken: 'restored',
        bumpRevision: String(BUMP),
        markCompacted: true,
      };
      await restoreSnapshot(host, etcdutl, order, signal);
      await assert.rejects(restoreSnapshot(host, etcdutl, order, signal), {
        type: 'UnsafeState',
        message: new RegExp(`${dataDir} exists`),
      });
    }
    const restored = await startEtcdCluster({ members: 3, directory, plan });
    try {
      const hashes = await Promise.all(
        plan.map(async ({ name, clientUrl }) => {
          const one = await openMember({ node: name, clientUrl });
          try {
            const { revision } = await one.status(signal);
            assert.ok(BigInt(revision) >= BUMP + BigInt(VALUES + 1), `revision ${revision} is bumped`);
            return await one.hashKv(signal, String(BUMP + BigInt(VALUES + 1)));
          } finally {
            one.close();
          }
        }),
      );
      assert.deepEqual(hashes[1], hashes[0]);
      assert.deepEqual(hashes[2], hashes[0]);
    } finally {
      await restored.stop();
    }
  });

  test('cut off, changed or empty is refused as it streams by, and by a restore', async () => {
    const file = join(directory, 'whole.db');
    await save(file);
    const whole = await readFile(file);
    const flipped = Buffer.from(whole);
    const middle = Math.floor(flipped.length / 2);
    flipped[middle] = (flipped[middle] ?? 0) ^ 1;
    for (const bad of [whole.subarray(0, middle), flipped, whole.subarray(0, -32)]) {
      const drained = Readable.from(checkSnapshot(Readable.from([bad]), 'a copy')).resume();
      await assert.rejects(once(drained, 'end'), { type: 'BackupCorrupt' });
      const path = join(directory, 'bad.db');
      const dataDir = join(directory, 'never');
      await writeFile(path, bad);
      await assert.rejects(
        restoreSnapshot(
          host,
          etcdutl,
          {
            file: path,
            dataDir,
            memberName: 'm',
            peerUrl: 'http://m:2380',
            initialCluster: [{ name: 'm', peerUrl: 'http://m:2380' }],
            clusterToken: 't',
          },
          signal,
        ),
        {
          type: 'BackupCorrupt',
          message: /etcdutl can't restore .*bad\.db.*Error: (expected sha256|snapshot missing hash)/s,
        },
      );
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test('file that etcdutl crashes on is corrupt, not a failed command', async () => {
    const file = join(directory, 'crash.db');
    await save(file);
    const whole = await readFile(file);
    const path = join(directory, 'half.db');
    await writeFile(path, whole.subarray(0, Math.floor(whole.length / 2)));
    await assert.rejects(snapshotStatus(host, etcdutl, path, signal), {
      type: 'BackupCorrupt',
      message: /exit code 2/,
    });
    await assert.rejects(snapshotStatus(host, etcdutl, join(directory, 'nowhere.db'), signal), {
      type: 'CommandFailed',
      message: /no such file/,
    });
  });

  test('read slowly makes etcd wait: memory does not grow with the database', async () => {
    await fill(member.clientUrl, MANY_VALUES, MIB);
    const before = process.memoryUsage().rss;
    let peak = before;
    let bytes = 0;
    for await (const chunk of readSnapshot(endpoint(), signal)) {
      bytes += chunk.length;
      peak = Math.max(peak, process.memoryUsage().rss);
      if (bytes % (4 * MIB) < chunk.length) await sleep(20);
    }
    assert.ok(bytes > MANY_VALUES * MIB);
    const growth = Math.round((peak - before) / MIB);
    assert.ok(growth < 150, `grew by ${growth} MiB over ${Math.round(bytes / MIB)} MiB`);
  });

  test('ends with the reason of the signal when it is aborted midway', async () => {
    const controller = new AbortController();
    const reason = new Error('the operation was cancelled');
    const read = async () => {
      let bytes = 0;
      for await (const chunk of readSnapshot(endpoint(), controller.signal)) {
        bytes += chunk.length;
        if (bytes > 10 * MIB) controller.abort(reason);
      }
    };
    await assert.rejects(read(), reason);
  });

  test('is interrupted when the member falls silent', async () => {
    const read = async () => {
      let bytes = 0;
      for await (const chunk of readSnapshot(endpoint(), signal, { silenceMs: 1_000 })) {
        if (bytes === 0) process.kill(member.pid(), 'SIGSTOP');
        bytes += chunk.length;
      }
    };
    try {
      await assert.rejects(read(), { type: 'SnapshotInterrupted', message: /sent nothing for 1 s/ });
    } finally {
      process.kill(member.pid(), 'SIGCONT');
    }
  });

  test('is interrupted when the member is killed midway, and whole again when it is back', async () => {
    const read = async () => {
      let bytes = 0;
      for await (const chunk of readSnapshot(endpoint(), signal)) {
        if (bytes === 0) await member.kill();
        bytes += chunk.length;
      }
    };
    await assert.rejects(read(), { type: 'SnapshotInterrupted', message: /broke off after \d+ bytes/ });
    await member.start();
    assert.ok(await save(join(directory, 'again.db')));
  });
});
