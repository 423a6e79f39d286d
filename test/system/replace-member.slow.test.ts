import assert from 'node:assert/strict';
import { access, open, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { AlarmAction, AlarmType } from 'etcd3';
import type { ListMembersReport } from '../../domain/operations/list-members.ts';
import { bringUpPart, stopPart } from '../../playground/handle.ts';
import { failureMessageIn, failureTypeIn } from '../support/failures.ts';
import {
  checkHealthy,
  destroyMember,
  members,
  nodeOf,
  putNodeInPlaceOf,
  replace,
  replaceKillingAt,
  states,
  superviseMember,
  underWrites,
} from '../support/replace-world.ts';
import { salvor } from '../support/salvor.ts';
import { putKeys, startWorld, type World, PLAYGROUND_CLUSTER as cluster } from '../support/world.ts';

let world: World;
before(async () => {
  world = await startWorld({ kubernetes: false });
  await putKeys(world.etcd(), 200);
});
after(async () => await world.down());

test('a member whose data directory was destroyed is replaced under writes, and no acknowledged one is lost', async () => {
  await destroyMember(world, 'm3');
  assert.deepEqual(states(await members(world)), ['m1 healthy', 'm2 healthy', 'm3 stopped']);
  const report = await underWrites(world, ['m1', 'm2'], async () => await replace(world));

  assert.equal(report.outcome, 'replaced', report.problem ?? '');
  assert.equal(report.node, 'm3');
  assert.equal(report.found.state, 'stopped');
  assert.deepEqual(states(report.before), ['m1 healthy', 'm2 healthy', 'm3 stopped']);
  assert.deepEqual(states(report.after ?? []), ['m1 healthy', 'm2 healthy', 'm3 healthy']);
  assert.notEqual(report.added, report.removed?.id);
  assert.ok(report.steps.every(({ state }) => state === 'done'));
  assert.match(report.backup, /^\d{8}-\d{6}$/);
  await checkHealthy(world);

  const script = await readFile(nodeOf(world, 'm3').etcdService, 'utf8');
  assert.match(script, /--initial-cluster-state=existing/);
  const [kept] = report.setAside;
  assert.match(kept?.path ?? '', /nodes\/m3\/.*\.before-replace-/);
  assert.match(await readFile(kept?.path ?? '', 'utf8'), /--initial-cluster-state=new/);
});

test('a member that ends again and again over a corrupt log is found so, and its data is kept', async (context) => {
  context.after(await superviseMember(world, 'm2'));
  await stopPart(world.playground, 'etcd-m2');
  const wal = join(nodeOf(world, 'm2').dataDir, 'member/wal');
  const [log = ''] = (await readdir(wal)).filter((name) => name.endsWith('.wal'));
  const file = await open(join(wal, log), 'r+');
  // In the middle of what was written: a torn end would be mended.
  await file.write(Buffer.alloc(64, 0xa5), 0, 64, 512);
  await file.close();
  const start = join(world.playground.directory, 'supervise-m2');
  await promisify(execFile)(start, ['start']);

  const report = await underWrites(world, ['m1', 'm3'], async () => await replace(world, { node: 'm2' }));
  assert.equal(report.outcome, 'replaced', report.problem ?? '');
  assert.equal(report.found.state, 'crash-looping', report.found.seen);
  const data = report.setAside.map(({ path }) => path).find((path) => path.includes('/member.before-replace-'));
  await access(join(data ?? '', 'wal', log));
  await checkHealthy(world);
});

test('the leader is replaced when it is meant, and hands over first', async () => {
  const { exit } = await salvor(world, 'member', 'replace', cluster, 'm1', '--confirm', cluster);
  assert.equal(exit, 1, 'no problems found');
  const leader = (await members(world)).find(({ role }) => role === 'leader')?.node ?? '';
  const others = ['m1', 'm2', 'm3'].filter((name) => name !== leader);
  const command = ['member', 'replace', cluster, leader, '--healthy', '--confirm', cluster];
  const { report, exit: done } = await underWrites(
    world,
    others,
    async () => await salvor<{ outcome: string; steps: { name: string; evidence: string }[] }>(world, ...command),
  );
  assert.equal(done, 0);
  assert.equal(report.outcome, 'replaced');
  assert.match(report.steps.find(({ name }) => name === 'Move the leadership away')?.evidence ?? '', /^handed over/);
  await checkHealthy(world);
});

test('a member for which etcd has raised CORRUPT, which stops all writes, is replaced, and writes are taken again', async () => {
  const { members: listed } = await world.etcd('m1').cluster.memberList({});
  const id = listed.find(({ name }) => name === 'm3')?.ID ?? '';
  await world.etcd('m1').maintenance.alarm({ action: AlarmAction.Activate, memberID: id, alarm: AlarmType.Corrupt });
  await assert.rejects(async () => await world.etcd('m1').put('refused').value('x').exec(), /corrupt/i);
  assert.deepEqual(states(await members(world)), ['m1 healthy', 'm2 healthy', 'm3 corrupt']);
  const report = await replace(world);
  assert.equal(report.outcome, 'replaced', report.problem ?? '');
  assert.match(
    report.steps.find(({ name }) => name === 'Remove the member')?.evidence ?? '',
    /CORRUPT alarm is cleared/,
  );
  await world.etcd('m1').put('taken').value('x').exec();
  await checkHealthy(world);
});

// Every step: test/chaos/replace-member.test.ts.
for (const step of ['Remove the member', 'Start etcd']) {
  test(`with the worker killed at "${step}" it ends with three voting members all the same`, async () => {
    await destroyMember(world, 'm3');
    const report = await underWrites(world, ['m1', 'm2'], async () => await replaceKillingAt(world, step));
    assert.equal(report.outcome, 'replaced', report.problem ?? '');
    await checkHealthy(world);
  });
}

test('a replacement that was terminated in the middle is taken up by another one', async () => {
  await destroyMember(world, 'm3');
  const { members: listed } = await world.etcd('m1').cluster.memberList({});
  const id = listed.find(({ name }) => name === 'm3')?.ID ?? '';
  await world.etcd('m1').cluster.memberRemove({ ID: id });
  assert.deepEqual(states(await members(world)), ['m1 healthy', 'm2 healthy', 'm3 missing']);
  assert.equal((await replace(world)).removed, null);
  await checkHealthy(world);
});

test('with quorum lost it is refused, and shows the way to a restore', async () => {
  await stopPart(world.playground, 'etcd-m2');
  await stopPart(world.playground, 'etcd-m3');
  await assert.rejects(replace(world), (error) => {
    assert.equal(failureTypeIn(error), 'NoHealthyMember');
    assert.match(
      failureMessageIn(error),
      /3 voting members and needs 2; (1 is|0 are) there.*salvor restore playground --confirm/,
    );
    return true;
  });
  const { exit, report } = await salvor<ListMembersReport>(world, 'member', 'list', cluster);
  assert.equal(exit, 1);
  // The one that is left may not have noticed yet that it leads nobody.
  assert.ok(report.quorum);
  const { voters, needed, up } = report.quorum;
  assert.deepEqual([voters, needed, up < 2], [3, 2, true]);
  await bringUpPart(world.playground, 'etcd-m2');
  await bringUpPart(world.playground, 'etcd-m3');
  await checkHealthy(world);
});

test('of a node that is gone for good, by another with a new address', async () => {
  await stopPart(world.playground, 'etcd-m3');
  const clientUrl = await putNodeInPlaceOf(world, 'm3', 'm4');
  assert.deepEqual(states(await members(world)), ['m1 healthy', 'm2 healthy', 'm4 missing', 'm3 gone']);
  const checked = [nodeOf(world, 'm1').clientUrl, nodeOf(world, 'm2').clientUrl, clientUrl];
  const report = await underWrites(world, ['m1', 'm2'], async () => await replace(world), checked);
  assert.equal(report.outcome, 'replaced', report.problem ?? '');
  assert.deepEqual([report.node, report.removed?.name], ['m4', 'm3']);
  await checkHealthy(world, ['m1', 'm2', 'm4']);
});
