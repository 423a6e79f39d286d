import assert from 'node:assert/strict';
import { access, rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { WorkflowHandle } from '@temporalio/client';
import { withMember } from '../../adapters/etcd/inspect.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import { bringUpPart, killPart, stopPart } from '../../playground/handle.ts';
import { completedActivities } from '../support/history.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, readKeys, startWorld, type World } from '../support/world.ts';

let world: World;
before(async () => {
  world = await startWorld({ kubernetes: false });
});
after(async () => await world.down());

async function doneSteps(handle: WorkflowHandle): Promise<string[]> {
  const { steps } = await handle.query<Progress>('progress');
  return steps
    .filter(({ state }) => state === 'done')
    .map(({ name, node }) => (node === null ? name : `${name} ${node}`));
}

test('a restore whose worker is killed in the middle goes on from its last completed step and brings everything back', async () => {
  const { playground } = world;
  await putKeys(world.etcd(), 300);
  const wanted = await readKeys(world.etcd());
  const taken = await world.run<BackupReport>('backup', { cluster });
  assert.equal(taken.state, 'complete');
  assert.deepEqual(taken.artifacts[0]?.copies.map(({ store }) => store).sort(), ['local', 'offsite']);

  // The disaster: objects deleted, then a member's data directory destroyed.
  await world.etcd().delete().prefix('/registry/').exec();
  await putKeys(world.etcd(), 20, '/registry/configmaps/later/');
  const { header } = await world.etcd().get('nothing').exec();
  await stopPart(playground, 'etcd-m3');
  await rm(playground.nodes[2]?.dataDir ?? '', { recursive: true });

  const handle = await world.start('restore', { cluster, confirm: cluster, approve: 'auto', backup: taken.backup });
  await until('the first etcd is stopped', async () => {
    const done = await doneSteps(handle);
    return done.some((step) => step.startsWith('Stop etcd'));
  });
  await killPart(playground, 'worker', 'SIGKILL');
  const atTheKill = await completedActivities(handle);
  await bringUpPart(playground, 'worker');
  const report = (await handle.result()) as RestoreReport;

  assert.ok(!atTheKill.some(({ name }) => name === 'checkRestoredMembers'), 'the worker was killed in the middle');
  const afterwards = await completedActivities(handle);
  assert.deepEqual(
    afterwards.slice(0, atTheKill.length),
    atTheKill,
    'what was completed before the kill stands as it was',
  );
  const before = new Set(atTheKill.map(({ name, node }) => `${name} ${node ?? ''}`));
  for (const { name, node, scheduled } of afterwards.slice(atTheKill.length)) {
    assert.ok(!before.has(`${name} ${node ?? ''}`), `${name} ${node ?? ''} was done again after the kill`);
    assert.equal(scheduled, 1, `${name} ${node ?? ''} was asked for once`);
  }

  assert.equal(report.outcome, 'restored');
  assert.ok(BigInt(report.revision.after ?? 0) > BigInt(header.revision), 'the revision is higher than before');
  assert.notEqual(report.clusterId.after, report.clusterId.before);
  for (const { name } of playground.nodes) assert.deepEqual(await readKeys(world.etcd(name)), wanted);
  const { members } = await world.etcd().cluster.memberList({});
  assert.equal(members.length, 3);
  assert.deepEqual(
    report.setAside.map(({ node }) => node),
    ['m1', 'm2'],
    'the destroyed member had nothing to set aside',
  );
  for (const { path } of report.setAside) await access(path);
});

test('after the restore every member holds the same keys and the cluster takes writes', async () => {
  const hashes = await Promise.all(
    world.playground.nodes.map(async ({ name, clientUrl }) => {
      const endpoint = { node: name, clientUrl, tls: world.playground.etcdTls };
      return await withMember(endpoint, async (member) => (await member.hashKv(AbortSignal.timeout(10_000))).hash);
    }),
  );
  assert.equal(new Set(hashes).size, 1);
  await world.etcd('m2').put('/registry/after').value('restore').exec();
  assert.equal(await world.etcd('m3').get('/registry/after').string(), 'restore');
});

test('the safety copy taken by the restore brings back what was there before it', async () => {
  const { backups } = await world.run<{ backups: { backup: string; state: string }[] }>('listBackups', { cluster });
  const [safetyCopy] = backups;
  assert.equal(backups.length, 2);
  const report = await world.run<RestoreReport>('restore', {
    cluster,
    confirm: cluster,
    approve: 'auto',
    backup: safetyCopy?.backup,
  });
  assert.equal(report.outcome, 'restored');
  const keys = Object.keys(await readKeys(world.etcd()));
  assert.equal(keys.length, 20);
  assert.ok(keys.every((key) => key.startsWith('/registry/configmaps/later/')));
});
