import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Progress } from '../../domain/operations/progress.ts';
import type { RestoreInput } from '../../domain/operations/restore.ts';
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { failureTypeIn } from '../support/failures.ts';
import { type FakeActivities, fakeActivities } from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import type { planRestore, restore } from '../../workflows/index.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

/** What the fake plan's digest is. */
const DIGEST = 'abcdef012345';
const TOUCHING = /^(stageDataDirectory|writeJournal|stop|swap|start)/;

async function start<T>(
  fake: FakeActivities,
  input: Partial<RestoreInput>,
  history: string,
  use: (handle: WorkflowHandle<typeof restore>) => Promise<T>,
): Promise<T> {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const handle = await temporal.client.workflow.start<typeof restore>('restore', {
      taskQueue,
      workflowId: `restore/${taskQueue}`,
      args: [{ cluster: 'prod', confirm: 'prod', ...input }],
    });
    const result = await use(handle);
    await recordHistory(handle, history);
    return result;
  });
}

async function untilAsked(handle: WorkflowHandle<typeof restore>): Promise<Progress> {
  return await until('the restore asks for an approval', async () => {
    const progress = await handle.query<Progress>('progress');
    return progress.toApprove === undefined ? undefined : progress;
  });
}

function touched({ calls }: FakeActivities): string[] {
  return calls.filter((call) => TOUCHING.test(call));
}

test('a restore waits for the approval of its plan, touches nothing before it, and refuses that of another plan', async () => {
  const fake = fakeActivities();
  const report = await start(fake, {}, 'restore-approved', async (handle) => {
    const { toApprove, waitingFor } = await untilAsked(handle);
    assert.equal(toApprove, DIGEST);
    assert.match(waitingFor ?? '', /salvor approve prod abcdef012345/);
    const plan = await handle.query<RestorePlan>('plan');
    assert.equal(plan.backup, '20261123-000000');
    assert.equal(plan.revisionGap, '800');
    for (const wrong of [{ digest: '000000000000' }, {}, null, 'abcdef012345']) {
      await assert.rejects(handle.executeUpdate('approve', { args: [wrong] }), (error) =>
        /the approval names/.test(String((error as Error).cause)),
      );
    }
    await assert.rejects(handle.executeUpdate('retry'), 'no step waits');
    assert.deepEqual(touched(fake), []);
    await handle.executeUpdate('approve', { args: [{ digest: DIGEST, by: 'core@bastion' }] });
    return await handle.result();
  });
  assert.equal(report.outcome, 'restored');
  const approval = report.steps.find(({ name }) => name === 'Approve the plan');
  assert.equal(approval?.evidence, 'abcdef012345, by core@bastion');
  assert.equal(fake.calls.filter((call) => call === 'drawPlan').length, 2, 'once more after the waiting');
});

test('a plan that is declined ends the restore, and nothing was touched', async () => {
  const fake = fakeActivities();
  const report = await start(fake, {}, 'restore-declined', async (handle) => {
    await untilAsked(handle);
    await handle.executeUpdate('abort');
    return await handle.result();
  });
  assert.equal(report.outcome, 'aborted');
  assert.match(report.problem ?? '', /was not approved/);
  assert.equal(report.downtimeMs, 0);
  assert.deepEqual(touched(fake), []);
});

test('a cluster that changed while the approval was waited for is not touched', async () => {
  let digest = DIGEST;
  const plain = fakeActivities();
  const fake = fakeActivities({
    drawPlan: async (facts) => ({ ...(await plain.activities.drawPlan(facts)), digest }),
  });
  await start(fake, {}, 'restore-plan-changed', async (handle) => {
    await untilAsked(handle);
    digest = '111111111111';
    await handle.executeUpdate('approve', { args: [{ digest: DIGEST }] });
    await assert.rejects(handle.result(), (error) => failureTypeIn(error) === 'PlanChanged');
  });
  assert.deepEqual(touched(fake), []);
});

test('a restore that is started with the digest of a plan goes on when its own plan is the same', async () => {
  const fake = fakeActivities();
  const { outcome } = await start(fake, { approve: DIGEST }, 'restore-approved-before', (handle) => handle.result());
  assert.equal(outcome, 'restored');
  assert.equal(fake.calls.filter((call) => call === 'drawPlan').length, 1);
});

test('a restore that is started with the digest of another plan touches nothing', async () => {
  const fake = fakeActivities();
  await start(fake, { approve: '000000000000' }, 'restore-other-plan', async (handle) => {
    await assert.rejects(
      handle.result(),
      (error) => failureTypeIn(error) === 'PlanChanged' && /abcdef012345/.test(String((error as Error).cause)),
    );
  });
  assert.deepEqual(touched(fake), []);
});

test('a restore that is cancelled while it waits has touched nothing', async () => {
  const fake = fakeActivities();
  await start(fake, {}, 'restore-cancelled-before-approval', async (handle) => {
    await untilAsked(handle);
    await handle.cancel();
    await assert.rejects(handle.result());
  });
  assert.deepEqual(touched(fake), []);
});

test('a plan alone touches nothing and does not hold the cluster', async () => {
  const fake = fakeActivities();
  const plan = await withWorker(temporal, fake.activities, async (taskQueue) => {
    const handle = await temporal.client.workflow.start<typeof planRestore>('planRestore', {
      taskQueue,
      workflowId: `planRestore/${taskQueue}`,
      args: [{ cluster: 'prod', at: '2026-11-23T00:30:00Z' }],
    });
    const result = await handle.result();
    await recordHistory(handle, 'planRestore-done');
    return result;
  });
  assert.equal(plan.digest, DIGEST);
  assert.deepEqual(touched(fake), []);
  const names = new Set(fake.calls.map((call) => call.split(' ')[0]));
  assert.deepEqual(
    [...names],
    ['readCluster', 'findSnapshot', 'inspectMembers', 'trialRestore', 'checkNode', 'drawPlan'],
  );
});
