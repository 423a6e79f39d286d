import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Journal } from '../../domain/restore/journal.ts';
import type { RestoreInput, RestoreReport, Resume } from '../../domain/operations/restore.ts';
import { failureMessageIn, failureTypeIn } from '../support/failures.ts';
import { failing, type FakeActivities, fakeActivities, JOURNAL } from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';
import type { restore } from '../../workflows/index.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

async function resume(
  fake: FakeActivities,
  how: Resume,
  history?: string,
  options: Pick<RestoreInput, 'onFailure'> = {},
): Promise<RestoreReport> {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const handle = await temporal.client.workflow.start<typeof restore>('restore', {
      taskQueue,
      workflowId: `restore/${taskQueue}`,
      args: [{ cluster: 'prod', confirm: 'prod', resume: how, ...options }],
    });
    try {
      return await handle.result();
    } finally {
      if (history !== undefined) await recordHistory(handle, history);
    }
  });
}

function changes({ calls }: FakeActivities): string[] {
  const names = calls.map((call) => call.split(' ')[0] ?? '');
  return [...new Set(names.filter((name) => /^(stop|swap|putBack|start)/.test(name)))];
}

test('a restore that was terminated before the swap is gone through from its first stop, with no new plan and no staging', async () => {
  const seen: string[] = [];
  const fake = fakeActivities({
    readJournal: async () => JOURNAL,
    swapDataDirectory: async ({ operationId }) => {
      seen.push(operationId);
      return { setAside: null };
    },
  });
  const report = await resume(fake, 'forward', 'restore-resumed');
  assert.equal(report.outcome, 'restored');
  assert.equal(report.backup, '20261123-000000');
  assert.deepEqual(changes(fake), ['stopApiServer', 'stopEtcd', 'swapDataDirectory', 'startEtcd', 'startApiServer']);
  assert.deepEqual([...new Set(seen)], ['20261123-070000'], 'under the names of the restore that began');
  assert.ok(!fake.calls.some((call) => /^(findSnapshot|trialRestore|stageDataDirectory|drawPlan)/.test(call)));
  assert.equal(fake.calls.filter((call) => call.startsWith('closeJournal')).length, 3);
});

test('when every node has its new data already, nothing is stopped again', async () => {
  const fake = fakeActivities({
    readJournal: async () => JOURNAL,
    readPosition: async () => ({ newData: 'in place', etcd: 'running' }),
  });
  const report = await resume(fake, 'forward', 'restore-resumed-after-swap');
  assert.equal(report.outcome, 'restored');
  assert.ok(!changes(fake).some((name) => name.startsWith('stop')), changes(fake).join(' '));
});

for (const how of ['forward', 'rollback'] as const) {
  test(`a restore that had only prepared ends untouched and is cleaned up after, also with ${how}`, async () => {
    const removed: string[] = [];
    const fake = fakeActivities({
      // m3 was still to come.
      readJournal: async ({ node }) => (node === 'm3' ? null : { ...JOURNAL, phase: 'preparing' }),
      unstageDataDirectory: async ({ node, run }) => {
        removed.push(`${node} ${run.workflowId} ${run.runId}`);
        return { removed: true };
      },
    });
    const report = await resume(fake, how, how === 'forward' ? 'restore-resumed-prepared' : undefined);
    assert.equal(report.outcome, 'aborted');
    assert.match(report.problem ?? '', /had only prepared its restore: nothing was touched/);
    assert.deepEqual(changes(fake), []);
    const whose = `${JOURNAL.workflowId} ${JOURNAL.runId}`;
    assert.deepEqual(removed, [`m1 ${whose}`, `m2 ${whose}`, `m3 ${whose}`]);
  });
}

test('a node whose staged data is gone stops nothing: it is put back or looked at, never started on the old data', async () => {
  const fake = fakeActivities({
    readJournal: async () => JOURNAL,
    readPosition: async ({ node }) => ({ newData: node === 'm2' ? 'gone' : 'staged', etcd: 'running' }),
  });
  await assert.rejects(
    resume(fake, 'forward'),
    (error) => failureTypeIn(error) === 'UnsafeState' && /staged on m2 is neither/.test(failureMessageIn(error)),
  );
  assert.deepEqual(changes(fake), []);
  assert.equal((await resume(fake, 'rollback')).outcome, 'rolled-back');
});

test('a restore whose operation is gone is put back to how its journal says that the nodes were', async () => {
  const fake = fakeActivities({ readJournal: async ({ node }) => (node === 'm2' ? null : JOURNAL) });
  const report = await resume(fake, 'rollback', 'restore-resumed-rollback');
  assert.equal(report.outcome, 'rolled-back');
  assert.deepEqual(
    fake.calls.filter((call) => call.startsWith('startEtcd')),
    ['startEtcd m1', 'startEtcd m2'],
    'etcd did not run on m3',
  );
  assert.deepEqual(changes(fake), ['stopApiServer', 'stopEtcd', 'putBackDataDirectory', 'startEtcd', 'startApiServer']);
});

test('a rollback that was under way is finished, even when the person says forward', async () => {
  const fake = fakeActivities({
    readJournal: async ({ node }) =>
      node === 'm3' ? { ...JOURNAL, phase: 'rolling-back', problem: 'm3: the disk is gone' } : JOURNAL,
  });
  const report = await resume(fake, 'forward', 'restore-resumed-in-rollback');
  assert.equal(report.outcome, 'rolled-back');
  assert.equal(report.problem, 'm3: the disk is gone');
  assert.ok(!changes(fake).includes('swapDataDirectory'));
});

test('a journal that cannot be closed is told; the cluster, which is well again, is not put back for it', async () => {
  const fake = fakeActivities({
    readJournal: async () => JOURNAL,
    closeJournal: async ({ node }) => {
      if (node === 'm3') throw failing('UnsafeState', 'm3: the journal is of another restore');
    },
  });
  const report = await resume(fake, 'forward', 'restore-journal-left-open', { onFailure: 'rollback' });
  assert.equal(report.outcome, 'restored');
  assert.ok(!changes(fake).includes('putBackDataDirectory'));
  const [left] = report.aftercare ?? [];
  assert.equal(left?.what, 'the journal of m3');
  assert.match(left.detail, /left open: m3: the journal is of another restore/);
  assert.match(left.advice ?? '', /salvor restore prod --resume/);
});

const refused: [what: string, journals: Record<string, Journal>, type: string, message: RegExp][] = [
  ['no node has a journal', {}, 'UnsafeState', /there is no unfinished restore/],
  [
    'the journals are of different restores',
    { m1: JOURNAL, m2: { ...JOURNAL, operationId: '20261124-070000', workflowId: 'restore/prod/other' } },
    'UnsafeState',
    /m1: restore\/prod\/terminated; m2: restore\/prod\/other; m3: none/,
  ],
  [
    'the configuration has other nodes than the restore began with',
    { m1: { ...JOURNAL, nodes: JOURNAL.nodes.slice(0, 2) } },
    'InvalidConfiguration',
    /began with the nodes m1, m2;/,
  ],
];
for (const [what, journals, type, message] of refused) {
  test(`nothing is resumed or touched when ${what}`, async () => {
    const fake = fakeActivities({ readJournal: async ({ node }) => journals[node] ?? null });
    await assert.rejects(resume(fake, 'forward'), (error) => {
      return failureTypeIn(error) === type && message.test(String((error as Error).cause));
    });
    assert.deepEqual(changes(fake), []);
  });
}
