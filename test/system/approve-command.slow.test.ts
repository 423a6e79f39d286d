/** A restore as a person and a program start it: its plan, its approval, and what is refused. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { bringUpPart, killPart } from '../../playground/handle.ts';
import { environment } from '../../adapters/environment.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, readKeys, startWorld, type World } from '../support/world.ts';

const SALVOR = fileURLToPath(new URL('../../bin/salvor', import.meta.url));

let world: World;
let backup: string;
let kept: Record<string, string>;
before(async () => {
  world = await startWorld({ kubernetes: false });
  await putKeys(world.etcd(), 30);
  ({ backup } = await world.run<BackupReport>('backup', { cluster }));
  kept = await readKeys(world.etcd());
  await putKeys(world.etcd(), 5, '/registry/secrets/later/');
});
after(async () => await world.down());

async function salvor(...args: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  const env = { ...environment(), TEMPORAL_ADDRESS: world.playground.temporalAddress };
  try {
    const { stdout, stderr } = await promisify(execFile)(SALVOR, args, { env });
    return { exit: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exit: code, stdout, stderr };
  }
}

async function planNow(): Promise<RestorePlan> {
  const { exit, stdout } = await salvor('restore', cluster, '--backup', backup, '--plan', '-o', 'json');
  assert.equal(exit, 0, stdout);
  return JSON.parse(stdout) as RestorePlan;
}

test('a plan tells what a restore would do and what would be lost, and changes nothing', async () => {
  const { header } = await world.etcd().get('nothing').exec();
  const plan = await planNow();
  assert.match(plan.digest, /^[0-9a-f]{12}$/);
  assert.equal(plan.changes?.vanish, 5);
  assert.equal(plan.revisionGap, '5');
  assert.equal(plan.expectedDowntimeMs, null);
  assert.ok(plan.steps.some(({ name, node }) => name === 'Swap the data directory' && node === 'm2'));
  const text = await salvor('restore', cluster, '--plan');
  assert.match(text.stdout, new RegExp(`Plan ${plan.digest}.*\\n`), 'the same plan, for people');
  assert.match(text.stdout, /keys +5 /);
  const now = await world.etcd().get('nothing').exec();
  assert.equal(now.header.revision, header.revision);
});

test('a program is told at once that the approval is waited for; another restore and another digest are refused', async () => {
  const started = await salvor('restore', cluster, '--backup', backup, '--confirm', cluster, '-o', 'json');
  assert.equal(started.exit, 3, started.stderr);
  const { workflowId, waitingFor, plan } = JSON.parse(started.stdout) as {
    workflowId: string;
    waitingFor: string;
    plan: RestorePlan;
  };
  assert.match(waitingFor, new RegExp(`salvor approve ${cluster} ${plan.digest}`));

  const second = await salvor('restore', cluster, '--confirm', cluster, '--approve', 'auto', '-o', 'json');
  assert.equal((JSON.parse(second.stdout) as { error: { type: string } }).error.type, 'ClusterBusy');
  const wrong = await salvor('approve', cluster, '000000000000');
  assert.equal(wrong.exit, 1);
  assert.match(wrong.stderr, /PlanChanged.*the approval names "000000000000"/s);

  assert.deepEqual(Object.keys(await readKeys(world.etcd())).length, 35, 'nothing was touched');
  const right = await salvor('approve', cluster, plan.digest);
  assert.equal(right.exit, 0, right.stderr);
  const shown = await salvor('show', workflowId, '-o', 'json');
  assert.equal(shown.exit, 0, shown.stdout);
  const report = JSON.parse(shown.stdout) as RestoreReport;
  assert.equal(report.outcome, 'restored');
  assert.match(report.steps.find(({ name }) => name === 'Approve the plan')?.evidence ?? '', /^[0-9a-f]{12}, by .+@.+/);
  for (const { name } of world.playground.nodes) assert.deepEqual(await readKeys(world.etcd(name)), kept);
});

test('a plan that was approved is refused when a member has gone since, and holds when it is back', async () => {
  const { digest, expectedDowntimeMs } = await planNow();
  assert.ok(expectedDowntimeMs !== null && expectedDowntimeMs > 0, 'as the restore before took');
  await killPart(world.playground, 'etcd-m3', 'SIGKILL');
  const order = ['restore', cluster, '--backup', backup, '--confirm', cluster, '--approve', digest] as const;
  const refused = await salvor(...order);
  assert.equal(refused.exit, 1, refused.stderr);
  assert.match(refused.stderr, /PlanChanged.*m3: etcd stopped.*Nothing was touched/s);
  await bringUpPart(world.playground, 'etcd-m3');
  const { exit, stderr } = await salvor(...order);
  assert.equal(exit, 0, stderr);
});

test('what restores moved aside is listed, and removed only with the confirmation', async () => {
  const listed = await salvor('cleanup', cluster, '--dry-run', '-o', 'json');
  const { removed } = JSON.parse(listed.stdout) as { removed: { path: string }[] };
  assert.equal(removed.length, 6);
  assert.equal((await salvor('cleanup', cluster)).exit, 2);
  assert.equal((await salvor('cleanup', cluster, '--confirm', 'other')).exit, 2);
  const done = await salvor('cleanup', cluster, '--confirm', cluster);
  assert.equal(done.exit, 0, done.stderr);
  assert.match(done.stdout, /Removed 6 directories/);
  const again = await salvor('cleanup', cluster, '--dry-run');
  assert.match(again.stdout, /Nothing is set aside/);
  assert.deepEqual(await readKeys(world.etcd()), kept);
});

for (const [what, args, message] of [
  ['a time without its zone', ['--at', '2026-11-23T06:00'], /expected a time with its zone/],
  ['a digest that is none', ['--approve', 'yes'], /expected "auto" or the digest/],
  ['both a backup and a time', ['--backup', '20261123-060000', '--at', '2026-11-23T06:00:00Z'], /give only one/],
] as const) {
  test(`${what} is refused before anything is started`, async () => {
    const { exit, stderr } = await salvor('restore', cluster, '--confirm', cluster, ...args);
    assert.equal(exit, 2);
    assert.match(stderr, message);
  });
}
