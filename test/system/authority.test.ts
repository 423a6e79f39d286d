/**
 * What an activity may do is looked up when it does it: who asks, by which configuration, and whether it holds the
 * cluster.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import { provideTool } from '../../adapters/binaries/binaries.ts';
import { loadCluster } from '../../adapters/configuration/load.ts';
import { readJournal } from '../../adapters/node-data/journal.ts';
import { localHost } from '../../adapters/hosts/local.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import { TASK_QUEUE } from '../../domain/operations/common.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import { failureMessageIn, failureTypeIn } from '../support/failures.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, readKeys, startWorld, type World } from '../support/world.ts';

const signal = AbortSignal.timeout(600_000);

let world: World;
let backup: string;
before(async () => {
  world = await startWorld({ kubernetes: false });
  await putKeys(world.etcd(), 20);
  ({ backup } = await world.run<BackupReport>('backup', { cluster }));
});
after(async () => await world.down());

async function temporal(args: string[]): Promise<{ exit: number; output: string }> {
  const { path } = await provideTool('temporal');
  const address = ['--address', world.playground.temporalAddress];
  try {
    const { stdout, stderr } = await promisify(execFile)(path, [...args, ...address], { signal });
    return { exit: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exit: code, output: stdout + stderr };
  }
}

async function failureOf(result: Promise<unknown>): Promise<{ type: string | undefined; message: string }> {
  const error: unknown = await result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { type: failureTypeIn(error), message: failureMessageIn(error) };
}

async function untilAsked(workflowId: string): Promise<string> {
  return await until('the restore asks for an approval', async () => {
    return (await world.temporal.workflow.getHandle(workflowId).query<Progress>('progress')).toApprove;
  });
}

describe('an activity', () => {
  test('that is asked for outside an operation is refused, and does nothing', async () => {
    const mark = join(world.playground.directory, 'mark');
    const loaded = await loadCluster(world.playground.configFile, cluster);
    const [node] = loaded.nodes;
    const service = { start: ['touch', mark], stop: ['true'], status: ['false'] };
    const forged = { ...loaded, nodes: [{ ...node, etcd: { ...node?.etcd, service } }] };
    const input = JSON.stringify({ cluster: forged, node: 'm1' });
    const order = ['--type', 'startEtcd', '--task-queue', TASK_QUEUE, '--start-to-close-timeout', '20s'];
    const { exit, output } = await temporal([
      'activity',
      'execute',
      '--activity-id',
      'forged',
      ...order,
      '--input',
      input,
    ]);
    assert.notEqual(exit, 0, output);
    assert.match(output, /asked for by no workflow; only Salvor's own operations/);
    await assert.rejects(access(mark), 'the command that was sent was not run');
  });

  test('of an operation that has read another configuration is refused by host and file', async () => {
    const restore = await world.start('restore', { cluster, confirm: cluster, backup });
    const digest = await untilAsked(restore.workflowId);
    await copyFile(world.playground.configFile, `${world.playground.configFile}.kept`);
    await world.configure(({ clusters }) => {
      Object.assign(clusters[cluster] ?? {}, { compression: 'none' });
    });
    try {
      await restore.executeUpdate('approve', { args: [{ digest }] });
      const { type, message } = await failureOf(restore.result());
      assert.equal(type, 'PlanChanged', message);
      assert.match(message, /the configuration of playground was changed/);
      const backupStarted = world.run('backup', { cluster });
      assert.equal((await failureOf(backupStarted)).type, undefined, 'an operation that reads it anew is done');
    } finally {
      await copyFile(`${world.playground.configFile}.kept`, world.playground.configFile);
    }
  });
});

describe('the hold of a cluster', () => {
  test('that was ended while the approval waited is missed before anything is touched', async () => {
    const before = await readKeys(world.etcd());
    const restore = await world.start('restore', { cluster, confirm: cluster, backup });
    const digest = await untilAsked(restore.workflowId);
    const { exit, output } = await temporal(['workflow', 'terminate', '--workflow-id', `cluster/${cluster}`]);
    assert.equal(exit, 0, output);
    await restore.executeUpdate('approve', { args: [{ digest }] });
    const { type, message } = await failureOf(restore.result());
    assert.equal(type, 'HoldLost', message);
    assert.match(message, /does not hold playground: the lock cluster\/playground is not running/);
    assert.deepEqual(await readKeys(world.etcd()), before);
  });

  test('that is ended in the middle of the change is taken again, and the report says so', async () => {
    const restore = await world.start('restore', { cluster, confirm: cluster, backup, approve: 'auto' });
    await until('the journal is written', async () => {
      const { steps } = await restore.query<Progress>('progress');
      return steps.some(({ name, state }) => name === 'Write the journal' && state === 'done');
    });
    await temporal(['workflow', 'terminate', '--workflow-id', `cluster/${cluster}`]);
    const report = (await restore.result()) as RestoreReport;
    assert.equal(report.outcome, 'restored');
    assert.ok(report.aftercare?.some(({ what }) => what === 'the hold of the cluster'));
  });

  /** Resets a restore that has ended to just before it asked for `activity` first. */
  async function reset(workflowId: string, activity: string): Promise<WorkflowHandle> {
    const { events } = await world.temporal.workflow.getHandle(workflowId).fetchHistory();
    const first = events?.find(
      ({ activityTaskScheduledEventAttributes: asked }) => asked?.activityType?.name === activity,
    );
    // The workflow task that scheduled it.
    const event = String(first?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId);
    const { exit, output } = await temporal([
      'workflow',
      'reset',
      '--workflow-id',
      workflowId,
      '--event-id',
      event,
      '--reason',
      'a test',
    ]);
    assert.equal(exit, 0, output);
    return world.temporal.workflow.getHandle(workflowId);
  }

  test('is not had by a reset of an operation that has ended: nothing is stopped, and its approval is not used again', async () => {
    const restore = await world.start('restore', { cluster, confirm: cluster, backup, approve: 'auto' });
    assert.equal(((await restore.result()) as RestoreReport).outcome, 'restored');
    await putKeys(world.etcd(), 5, '/registry/since/');
    const since = await readKeys(world.etcd());

    const prepared = await reset(restore.workflowId, 'stageDataDirectory');
    const { type, message } = await failureOf(prepared.result());
    assert.equal(type, 'HoldLost', message);

    // The history of this one says that the last look went well.
    const other = await world.start('restore', { cluster, confirm: cluster, backup, approve: 'auto' });
    assert.equal(((await other.result()) as RestoreReport).outcome, 'restored');
    const wanted = await readKeys(world.etcd());
    const changing = await reset(other.workflowId, 'stopEtcd');
    const waitingFor = await until('the reset asks a person', async () => {
      return (await changing.query<Progress>('progress')).waitingFor ?? undefined;
    });
    assert.match(waitingFor, /this is a reset of restore\/test\/\d+, whose hold on playground has ended/);
    await changing.executeUpdate('abort');
    assert.equal(((await changing.result()) as RestoreReport).outcome, 'aborted');
    assert.deepEqual(await readKeys(world.etcd()), wanted);
    assert.notDeepEqual(wanted, since, 'the second restore was one');
    const [node] = (await loadCluster(world.playground.configFile, cluster)).nodes;
    assert.ok(node);
    assert.equal(await readJournal(node, localHost('this machine'), signal), undefined);
  });
});
