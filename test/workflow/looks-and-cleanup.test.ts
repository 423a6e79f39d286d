/** The operations that only look, and the clean-up after others. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Operation, ReportOf } from '../../domain/operations/index.ts';
import { failureMessageIn, failureTypeIn } from '../support/failures.ts';
import { failing, type FakeActivities, fakeActivities, JOURNAL } from '../support/fake-activities.ts';
import { recordHistory, startTemporal, withWorker } from '../support/temporal.ts';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

async function run<O extends Operation>(
  fake: FakeActivities,
  operation: O,
  input: object,
  history: string,
): Promise<ReportOf<O>> {
  return await withWorker(temporal, fake.activities, async (taskQueue) => {
    const workflowId = `${operation}/${taskQueue}/${history}`;
    const handle = await temporal.client.workflow.start(operation, { taskQueue, workflowId, args: [input] });
    try {
      return (await handle.result()) as ReportOf<O>;
    } finally {
      await recordHistory(handle, history);
    }
  });
}

describe('cleanUp', () => {
  const CONFIRMED = { cluster: 'prod', confirm: 'prod' };

  test('removes on every node what it finds there', async () => {
    const fake = fakeActivities();
    const report = await run(fake, 'cleanUp', CONFIRMED, 'cleanUp-done');
    assert.equal(report.removed.length, 3);
    assert.deepEqual(
      fake.calls.filter((call) => call.startsWith('removeSetAside')),
      ['removeSetAside m1', 'removeSetAside m2', 'removeSetAside m3'],
    );
  });

  test('removes nothing in a dry run, and needs no confirmation for it', async () => {
    const fake = fakeActivities();
    const report = await run(fake, 'cleanUp', { cluster: 'prod', dryRun: true }, 'cleanUp-dry-run');
    assert.equal(report.removed.length, 3);
    assert.ok(!fake.calls.some((call) => call.startsWith('removeSetAside')));
  });

  test('refuses while a node has the journal of a restore that has not ended', async () => {
    const fake = fakeActivities({ readJournal: async ({ node }) => (node === 'm2' ? JOURNAL : null) });
    await assert.rejects(
      run(fake, 'cleanUp', CONFIRMED, 'cleanUp-restore-unfinished'),
      (error) => failureTypeIn(error) === 'UnsafeState' && /has not ended/.test(failureMessageIn(error)),
    );
    assert.ok(!fake.calls.some((call) => call.startsWith('removeSetAside')));
  });
});

describe('checkCluster', () => {
  test('checks members, stores, backups and every node', async () => {
    const report = await run(fakeActivities(), 'checkCluster', { cluster: 'prod' }, 'checkCluster-done');
    assert.deepEqual(
      report.checks.filter(({ ok }) => !ok),
      [],
    );
    const names = report.checks.map(({ name }) => name);
    for (const name of ['etcd member on m1', 'members hold the same keys', 'stores', 'backups', 'node m3']) {
      assert.ok(names.includes(name), name);
    }
  });

  test('reports what fails, each by itself', async () => {
    const fake = fakeActivities({
      checkStores: async () => {
        throw failing('AccessDenied', 'local: no');
      },
      checkNode: async ({ node }) => {
        throw failing('ToolMissing', `${node} has no etcdutl`);
      },
    });
    const report = await run(fake, 'checkCluster', { cluster: 'prod' }, 'checkCluster-problems');
    const failed = report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
    assert.deepEqual(failed, ['stores', 'node m1', 'node m2', 'node m3']);
  });
});

test('listBackups gives what the stores show', async () => {
  const report = await run(fakeActivities(), 'listBackups', { cluster: 'prod' }, 'listBackups-done');
  assert.deepEqual(report, { cluster: 'prod', backups: [], unreadable: [] });
});
