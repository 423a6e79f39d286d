import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { openMember } from '../../adapters/etcd/client.ts';
import { restoreSnapshot } from '../../adapters/snapshots/etcdutl.ts';
import type { HashAtRevision } from '../../adapters/etcd/member.ts';
import { startScratchEtcd } from '../../adapters/etcd/scratch-member.ts';
import { locateEtcdutl } from '../../adapters/hosts/find.ts';
import { localHost } from '../../adapters/hosts/local.ts';
import { startEtcdCluster } from '../support/etcd-cluster.ts';
import { fill } from '../support/etcd-data.ts';

const signal = AbortSignal.timeout(120_000);
const host = localHost('this machine');

describe('a scratch etcd', () => {
  let directory: string;
  let file: string;
  let source: HashAtRevision;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
    file = join(directory, 'snapshot.db');
    const cluster = await startEtcdCluster({ members: 1, directory });
    try {
      const clientUrl = cluster.members[0]?.clientUrl ?? '';
      await fill(clientUrl, 30, 10_000);
      const member = await openMember({ node: 'm1', clientUrl });
      source = await member.hashKv(signal);
      await pipeline(member.snapshot(signal), createWriteStream(file, { mode: 0o600 }));
      member.close();
    } finally {
      await cluster.stop();
    }
  });
  after(async () => {
    await rm(directory, { recursive: true });
  });

  async function restored(name: string): Promise<string> {
    const dataDir = join(directory, name);
    const peerUrl = 'http://127.0.0.1:2380';
    await restoreSnapshot(
      host,
      await locateEtcdutl(host),
      {
        file,
        dataDir,
        memberName: 'drill',
        peerUrl,
        clusterToken: 'drill',
        initialCluster: [{ name: 'drill', peerUrl }],
      },
      signal,
    );
    return dataDir;
  }

  test('serves what the source had, key for key, and is gone when it is stopped', async () => {
    const etcd = await startScratchEtcd({ dataDir: await restored('serves'), signal });
    const member = await openMember({ node: 'scratch', clientUrl: etcd.clientUrl });
    try {
      assert.equal((await member.hashKv(signal, source.revision)).hash, source.hash);
    } finally {
      member.close();
      await etcd.stop();
    }
    assert.throws(() => process.kill(etcd.pid, 0), { code: 'ESRCH' });
  });

  test('two at once have ports of their own', async () => {
    const directories = [await restored('one'), await restored('two')];
    const running = await Promise.all(directories.map((dataDir) => startScratchEtcd({ dataDir, signal })));
    assert.notEqual(running[0]?.clientUrl, running[1]?.clientUrl);
    await Promise.all(running.map((etcd) => etcd.stop()));
  });

  test('on a database that was cut off does not serve, and the error has the end of its log', async () => {
    const dataDir = await restored('cut');
    await truncate(join(dataDir, 'member', 'snap', 'db'), 100);
    await assert.rejects(startScratchEtcd({ dataDir, signal }), {
      type: 'ComponentStuck',
      message: /scratch etcd .*ended before it was ready; its log ends with:\n.+/s,
    });
  });

  test('that is aborted while it starts leaves nothing running', async () => {
    const controller = new AbortController();
    const starting = startScratchEtcd({ dataDir: await restored('aborted'), signal: controller.signal });
    controller.abort(new Error('the operation was cancelled'));
    await assert.rejects(starting, /the operation was cancelled/);
    const left = await host.run(['pgrep', '-f', `data-dir=${join(directory, 'aborted')}`], { signal });
    assert.equal(left.stdout, '');
  });
});
