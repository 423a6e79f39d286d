/** What a living cluster does while its restore waits, on real members. */
import assert from 'node:assert/strict';
import { rename, rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { WorkflowHandle } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import { watchIsCompacted } from '../../adapters/etcd/watch.ts';
import { locateEtcdutl } from '../../adapters/hosts/find.ts';
import { localHost } from '../../adapters/hosts/local.ts';
import { restoreSnapshot } from '../../adapters/snapshots/etcdutl.ts';
import { resolveCluster } from '../../domain/configuration/resolve.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import { bringUpPart, stopPart } from '../../playground/handle.ts';
import { createNodeActivities } from '../../activities/nodes.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, readKeys, startWorld, type World } from '../support/world.ts';

const signal = AbortSignal.timeout(600_000);

let world: World;
let backup: string;
let wanted: Record<string, string>;
before(async () => {
  world = await startWorld({ kubernetes: false });
  await putKeys(world.etcd(), 30);
  ({ backup } = await world.run<BackupReport>('backup', { cluster }));
  wanted = await readKeys(world.etcd());
  await putKeys(world.etcd(), 5, '/registry/secrets/later/');
});
after(async () => await world.down());

async function revisionNow(): Promise<bigint> {
  return BigInt((await world.etcd().get('nothing').exec()).header.revision);
}

async function untilAsked(handle: WorkflowHandle): Promise<string> {
  return await until('the restore asks for an approval', async () => {
    return (await handle.query<Progress>('progress')).toApprove;
  });
}

/**
 * The same keys in the same cluster, so many revisions later: its members are made anew from one's database, under the
 * same cluster ID.
 */
async function gainRevisions(count: number): Promise<void> {
  const { playground } = world;
  for (const { name } of playground.nodes) await stopPart(playground, `etcd-${name}`);
  const host = localHost('this machine');
  const etcdutl = await locateEtcdutl(host);
  const [first] = playground.nodes;
  const { nodes } = resolveCluster(await loadConfiguration(playground.configFile), cluster);
  const initialCluster = nodes.map(({ etcd }) => ({ name: etcd.memberName, peerUrl: etcd.peerUrl }));
  for (const { etcd } of nodes) {
    await restoreSnapshot(
      host,
      etcdutl,
      {
        file: `${first?.dataDir}/member/snap/db`,
        skipHashCheck: true,
        dataDir: `${etcd.dataDir}.later`,
        memberName: etcd.memberName,
        peerUrl: etcd.peerUrl,
        initialCluster,
        clusterToken: 'salvor-playground',
        bumpRevision: String(count),
        markCompacted: true,
      },
      signal,
    );
  }
  for (const { dataDir } of playground.nodes) {
    await rm(`${dataDir}/member`, { recursive: true });
    await rename(`${dataDir}.later/member`, `${dataDir}/member`);
  }
  await Promise.all(playground.nodes.map(async ({ name }) => await bringUpPart(playground, `etcd-${name}`)));
}

test('a cluster that gains 2,000,000 revisions while the approval waits is restored above them, and a watch from before is refused', async () => {
  const handle = await world.start('restore', { cluster, confirm: cluster, backup });
  const digest = await untilAsked(handle);
  await gainRevisions(2_000_000);
  await putKeys(world.etcd(), 3, '/registry/secrets/latest/');
  const seen = await revisionNow();
  assert.ok(seen > 2_000_000n, `the cluster is at ${seen}`);
  await handle.executeUpdate('approve', { args: [{ digest }] });

  const report = (await handle.result()) as RestoreReport;
  assert.equal(report.outcome, 'restored');
  assert.ok(BigInt(report.revision.before ?? 0) >= seen, `${report.revision.before} is what clients have seen`);
  assert.ok(BigInt(report.revision.after ?? 0) > seen, `${report.revision.after} is above ${seen}`);
  for (const { name, clientUrl } of world.playground.nodes) {
    assert.deepEqual(await readKeys(world.etcd(name)), wanted);
    const endpoint = { node: name, clientUrl, tls: world.playground.etcdTls };
    assert.notEqual(await watchIsCompacted(endpoint, String(seen + 1n), signal), null, `${name} refuses an old watch`);
  }
});

test('a member that has come to where the staged data begins is not stopped for it, and one below is', async () => {
  const loaded = resolveCluster(await loadConfiguration(world.playground.configFile), cluster);
  const stopEtcd = async (below: bigint) => {
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => {}) });
    const order = { cluster: loaded, node: 'm1', below: String(below) };
    return await environment.run(createNodeActivities().stopEtcd, order);
  };
  const now = await revisionNow();
  await assert.rejects(stopEtcd(now), { type: 'UnsafeState', message: /^m1: etcd is at revision \d+, .*Roll back/ });
  assert.equal(await revisionNow(), now, 'it still runs');
  assert.deepEqual(await stopEtcd(now + 1_000n), { changed: true });
  await bringUpPart(world.playground, 'etcd-m1');
});
