/** Runs of schedules that meet another operation on their cluster. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { lockWorkflowId } from '../../domain/operations/common.ts';
import type { Operation } from '../../domain/operations/index.ts';
import { failureTypeIn } from '../support/failures.ts';
import { fakeActivities } from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import type { holdCluster } from '../../workflows/index.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

/** Does `work` while another operation holds the cluster. */
async function whileHeld(taskQueue: string, work: () => Promise<void>, holder: Operation = 'restore'): Promise<void> {
  const hold = await temporal.client.workflow.start<typeof holdCluster>('holdCluster', {
    taskQueue,
    workflowId: lockWorkflowId('prod'),
    args: [{ cluster: 'prod', operation: holder, workflowId: `${holder}/prod/by-somebody` }],
    memo: { holder: `${holder}/prod/by-somebody` },
  });
  await work();
  await hold.signal('release');
  await hold.result();
}

/** Has a schedule start the operation once, and gives the run. */
async function runOfSchedule(operation: string, taskQueue: string) {
  const schedule = await temporal.client.schedule.create({
    scheduleId: `salvor/prod/${operation}`,
    spec: { intervals: [{ every: '365d' }] },
    action: {
      type: 'startWorkflow',
      workflowType: operation,
      workflowId: `${operation}/prod/scheduled`,
      taskQueue,
      args: [{ cluster: 'prod' }],
    },
  });
  try {
    await schedule.trigger(ScheduleOverlapPolicy.SKIP);
    const workflowId = await until('the schedule has started it', async () => {
      const [action] = (await schedule.describe()).info.recentActions;
      return action?.action.workflow.workflowId;
    });
    return temporal.client.workflow.getHandle(workflowId);
  } finally {
    await schedule.delete();
  }
}

for (const operation of ['backup', 'prune'] as const) {
  test(`a scheduled ${operation} that meets a restore is completed as skipped, naming it, and has touched nothing`, async () => {
    const { activities, calls } = fakeActivities();
    await withWorker(temporal, activities, async (taskQueue) => {
      await whileHeld(taskQueue, async () => {
        const run = await runOfSchedule(operation, taskQueue);
        const report = (await run.result()) as unknown;
        assert.deepEqual(report, {
          cluster: 'prod',
          state: 'skipped',
          reason:
            'prod is held by restore/prod/by-somebody; only one operation can change a cluster at a time. Wait until it ends, or end it: `salvor show restore/prod/by-somebody`',
        });
        assert.equal((await run.describe()).status.name, 'COMPLETED');
        await recordHistory(run, `${operation}-skipped`);
      });
    });
    assert.deepEqual(calls, ['readCluster', 'describeHolder']);
  });

  test(`a ${operation} that a person starts then fails as ClusterBusy`, async () => {
    const { activities } = fakeActivities();
    await withWorker(temporal, activities, async (taskQueue) => {
      await whileHeld(taskQueue, async () => {
        const options = { taskQueue, workflowId: `${operation}/prod/by-hand`, args: [{ cluster: 'prod' }] };
        await assert.rejects(
          temporal.client.workflow.execute(operation, options),
          (error) => failureTypeIn(error) === 'ClusterBusy',
        );
      });
    });
  });
}

for (const holder of ['backup', 'restore', 'replaceMember'] as const) {
  test(`a restore during a ${holder} is refused, naming it, and has touched nothing`, async () => {
    const { activities, calls } = fakeActivities();
    await withWorker(temporal, activities, async (taskQueue) => {
      const work = async () => {
        const args = [{ cluster: 'prod', confirm: 'prod', approve: 'auto' }];
        const restore = temporal.client.workflow.execute('restore', {
          taskQueue,
          workflowId: 'restore/prod/late',
          args,
        });
        await assert.rejects(restore, (error) => failureTypeIn(error) === 'ClusterBusy');
      };
      await whileHeld(taskQueue, work, holder);
    });
    assert.deepEqual(calls, ['readCluster', 'describeHolder']);
  });
}

test('a scheduled backup that meets nothing is taken', async () => {
  const { activities } = fakeActivities();
  await withWorker(temporal, activities, async (taskQueue) => {
    const run = await runOfSchedule('backup', taskQueue);
    assert.equal(((await run.result()) as { state: string }).state, 'complete');
  });
});
