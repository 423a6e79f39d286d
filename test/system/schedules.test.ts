import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ScheduleDescription } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundle } from '@temporalio/worker';
import { SalvorOperationError } from '../../client/errors.ts';
import { SalvorClient } from '../../client/salvor.ts';
import { configurationSchema } from '../../domain/configuration/schema.ts';
import { SEARCH_ATTRIBUTES } from '../../domain/operations/common.ts';
import { startTemporal } from '../support/temporal.ts';

const DEADLINE_MS = 60_000;

let temporal: TestWorkflowEnvironment;
let bundle: WorkflowBundle;

before(async () => {
  temporal = await startTemporal();
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../support/scheduled-work.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
});

after(async () => {
  await temporal.teardown();
});

/** An installation of its own: a task queue and a cluster that no other test has. */
function installation() {
  const id = randomBytes(4).toString('hex');
  const [cluster, taskQueue] = [`prod-${id}`, `queue-${id}`];
  const { schedules: client } = new SalvorClient(temporal.client, { address: '', namespace: 'default' }, taskQueue);

  /** What was done with each operation's schedule of this cluster. */
  async function apply(schedules: object, options: { dryRun?: boolean } = {}): Promise<Record<string, string>> {
    const configuration = configurationSchema.parse({
      stores: { local: { type: 'filesystem', path: '/data' } },
      clusters: {
        [cluster]: { flavour: 'kubeadm', stores: ['local'], schedules, nodes: [{ name: 'm1', address: '10.0.0.1' }] },
      },
    });
    const changes = await client.apply(configuration, options);
    return Object.fromEntries(
      changes
        .filter(({ scheduleId }) => scheduleId.startsWith(`salvor/${cluster}/`))
        .map(({ scheduleId, outcome, detail }) => [
          scheduleId.split('/')[2] ?? '',
          outcome === 'updated' ? `updated ${detail}` : outcome,
        ]),
    );
  }

  async function describe(operation: string): Promise<ScheduleDescription> {
    return await temporal.client.schedule.getHandle(`salvor/${cluster}/${operation}`).describe();
  }

  return { client, cluster, taskQueue, apply, describe };
}

/** The first answer that is something; a state that never comes fails the test. */
async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const deadline = Date.now() + DEADLINE_MS; Date.now() < deadline; await sleep(200)) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
  }
  throw new Error(`${what}: not within ${DEADLINE_MS / 1_000} s`);
}

async function withWorker(taskQueue: string, work: () => Promise<void>): Promise<void> {
  const worker = await Worker.create({ connection: temporal.nativeConnection, taskQueue, workflowBundle: bundle });
  await worker.runUntil(work);
}

suite('schedules on a real server', () => {
  test('a short interval starts the operation again and again, to be found like one that a person started', async () => {
    const { apply, describe, cluster, taskQueue } = installation();
    await apply({ prune: { every: '1s' } });
    await withWorker(taskQueue, async () => {
      const runs = await until('three runs', async () => {
        const { recentActions } = (await describe('prune')).info;
        return recentActions.length >= 3 && recentActions.map(({ action }) => action.workflow.workflowId);
      });
      assert.equal(new Set(runs).size, runs.length);
      for (const workflowId of runs.slice(0, 3)) {
        assert.match(workflowId, new RegExp(`^prune/${cluster}/scheduled-\\d{4}-\\d\\d-\\d\\dT`));
        const handle = temporal.client.workflow.getHandle(workflowId);
        assert.deepEqual(await handle.result(), { cluster });
        const description = await handle.describe();
        assert.equal(description.type, 'prune');
        assert.equal(await description.staticSummary(), `Scheduled prune of ${cluster}`);
        assert.deepEqual(description.memo, { startedBy: `schedule salvor/${cluster}/prune`, times: 'every 1s' });
        const attributes = Object.fromEntries(
          description.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
        );
        assert.equal(attributes[SEARCH_ATTRIBUTES.cluster], cluster);
        assert.equal(attributes[SEARCH_ATTRIBUTES.operation], 'prune');
      }
    });
    assert.deepEqual(await apply({}), { prune: 'deleted' });
  });

  const forms: Record<string, object> = {
    'an interval with jitter': { every: '6h', jitter: '10m' },
    'a window over midnight': { every: '40m', window: '22:00-06:30 Asia/Shanghai', jitter: '5m' },
    'a window of whole hours': { every: '1h', window: '00:00-23:59' },
    'cron on Sundays': { cron: '0 3 * * 0' },
    'cron with days, months and a time zone': { cron: '*/15 1-5 1,15 jan-mar fri', timeZone: 'America/New_York' },
    'cron of every minute': { cron: '* * * * *' },
  };
  for (const [form, rule] of Object.entries(forms)) {
    test(`applied twice, ${form} is left as it is`, async () => {
      const { apply, describe } = installation();
      assert.deepEqual(await apply({ verify: rule }), { verify: 'created' });
      assert.deepEqual(await apply({ verify: rule }), { verify: 'unchanged' });
      assert.equal((await describe('verify')).info.lastUpdatedAt, undefined);
      await apply({});
    });
  }

  test('runs within a window come at its times, in its time zone', async () => {
    const { apply, describe } = installation();
    await apply({ backup: { every: '2h', window: '22:00-04:00 Asia/Shanghai' } });
    const { policies, info } = await describe('backup');
    // Shanghai has had no summer time since 1991: UTC+8.
    const times = info.nextActionTimes.map((time) => time.toISOString().slice(11));
    assert.deepEqual(new Set(times), new Set(['14:00:00.000Z', '16:00:00.000Z', '18:00:00.000Z']));
    assert.equal(policies.catchupWindow, 2 * 3_600_000);
    assert.equal(policies.overlap, 'SKIP');
    await apply({});
  });

  test('cron runs on the day of the month and on the day of the week', async () => {
    const { apply, describe } = installation();
    await apply({ backup: { cron: '30 4 13 * fri' } });
    const times = (await describe('backup')).info.nextActionTimes;
    assert.ok(times.length >= 5);
    for (const time of times) {
      assert.ok(time.getUTCDate() === 13 || time.getUTCDay() === 5, time.toISOString());
      assert.equal(time.toISOString().slice(11), '04:30:00.000Z');
    }
    const days = (times.at(-1)?.getTime() ?? 0) - (times[0]?.getTime() ?? 0);
    assert.ok(days <= (times.length - 1) * 7 * 86_400_000, 'a Friday is missing');
    await apply({});
  });

  test('a pause and its note outlive an apply that changes the times', async () => {
    const { client, apply, describe, cluster } = installation();
    await apply({ backup: { every: '6h' } });
    await client.pause({ cluster, operation: 'backup' }, 'storage is being moved');
    assert.deepEqual(await apply({ backup: { every: '12h', jitter: '1m' } }), {
      backup: 'updated times, policies, action',
    });
    const changed = await describe('backup');
    assert.deepEqual([changed.state.paused, changed.state.note], [true, 'storage is being moved']);
    assert.equal(changed.spec.intervals?.[0]?.every, 12 * 3_600_000);

    await client.resume({ cluster, operation: 'backup' }, 'moved');
    const resumed = await describe('backup');
    assert.deepEqual([resumed.state.paused, resumed.state.note], [false, 'moved']);
    assert.deepEqual(await apply({ backup: { every: '12h', jitter: '1m' } }), { backup: 'unchanged' });
    await apply({});
  });

  test('what was changed by hand is put right, part by part', async () => {
    const { apply, cluster } = installation();
    const rule = { backup: { every: '6h' } };
    await apply(rule);
    const handle = temporal.client.schedule.getHandle(`salvor/${cluster}/backup`);
    await handle.update(({ action, policies, state, spec }) => ({
      action,
      state,
      policies: { ...policies, overlap: 'ALLOW_ALL' },
      spec: { ...spec, skip: [{ dayOfWeek: 'SUNDAY' }] },
    }));
    assert.deepEqual(await apply(rule, { dryRun: true }), { backup: 'updated times, policies' });
    assert.deepEqual(await apply(rule), { backup: 'updated times, policies' });
    assert.deepEqual(await apply(rule), { backup: 'unchanged' });
    await apply({});
  });

  test('what the configuration has no more is deleted; what isn’t Salvor’s, or another installation’s, is left alone', async () => {
    const mine = installation();
    const other = installation();
    const foreignIds = [`nightly-${mine.cluster}`, `salvor/${mine.cluster}/report`];
    for (const scheduleId of foreignIds) {
      await temporal.client.schedule.create({
        scheduleId,
        spec: { intervals: [{ every: '1d' }] },
        action: { type: 'startWorkflow', workflowType: 'report', taskQueue: mine.taskQueue, args: [] },
      });
    }
    await other.apply({ backup: { every: '6h' } });
    await mine.apply({ backup: { every: '6h' }, prune: { every: '1d' } });
    await until('the list', async () => (await mine.client.list({ cluster: mine.cluster })).length === 2);
    await until('the list', async () => (await other.client.list({ cluster: other.cluster })).length === 1);

    assert.deepEqual(await mine.apply({ backup: { every: '6h' } }, { dryRun: true }), {
      backup: 'unchanged',
      prune: 'deleted',
    });
    assert.equal((await mine.describe('prune')).action.workflowType, 'prune');
    assert.deepEqual(await mine.apply({ backup: { every: '6h' } }), { backup: 'unchanged', prune: 'deleted' });
    await assert.rejects(mine.describe('prune'), { name: 'ScheduleNotFoundError' });

    const changes = await mine.client.apply({ clusters: {} });
    assert.deepEqual(
      changes
        .filter(({ scheduleId }) => scheduleId.includes(other.cluster))
        .map(({ outcome, detail }) => [outcome, detail]),
      [['kept', `of the task queue "${other.taskQueue}", not "${mine.taskQueue}"`]],
    );
    assert.equal((await other.describe('backup')).action.workflowType, 'backup');
    for (const scheduleId of foreignIds) {
      const handle = temporal.client.schedule.getHandle(scheduleId);
      assert.equal((await handle.describe()).action.workflowType, 'report');
      await handle.delete();
    }
    await other.apply({});
  });

  test('two that apply at the same moment end with the same schedules', async () => {
    const { apply } = installation();
    const schedules = { backup: { every: '6h' }, prune: { every: '1d' }, verify: { cron: '0 3 * * 0' } };
    await Promise.all([apply(schedules), apply(schedules)]);
    assert.deepEqual(await apply(schedules), { backup: 'unchanged', prune: 'unchanged', verify: 'unchanged' });
    await apply({});
  });

  test('a trigger starts it, also while it is paused; a second one is skipped while the first runs', async () => {
    const { client, apply, cluster, taskQueue } = installation();
    await apply({ backup: { every: '6h' } });
    await client.pause({ cluster, operation: 'backup' }, 'by hand only');
    await withWorker(taskQueue, async () => {
      const first = await client.trigger({ cluster, operation: 'backup' });
      assert.ok(first.outcome === 'started', first.outcome);
      assert.deepEqual(await client.trigger({ cluster, operation: 'backup' }), {
        outcome: 'skipped',
        running: [first.workflowId],
      });
      const [report] = await until('the list', async () => {
        const reports = await client.list({ cluster });
        return reports.length > 0 && reports;
      });
      assert.ok(report);
      const { last, ...rest } = report;
      assert.deepEqual(rest, {
        scheduleId: `salvor/${cluster}/backup`,
        cluster,
        operation: 'backup',
        times: 'every 6h',
        paused: true,
        note: 'by hand only',
        nextAt: null,
        running: [first.workflowId],
        missed: 0,
        skipped: 1,
      });
      assert.equal(last?.workflowId, first.workflowId);

      const handle = temporal.client.workflow.getHandle(first.workflowId);
      await handle.signal('finish');
      await handle.result();
      const third = await until('the run to count as ended', async () => {
        const report = await client.trigger({ cluster, operation: 'backup' });
        return report.outcome === 'started' && report;
      });
      assert.notEqual(third.runId, first.runId);
      await temporal.client.workflow.getHandle(third.workflowId).signal('finish');
    });
    await apply({});
  });

  test('a schedule that isn’t there is named, with what to do', async () => {
    const { client } = installation();
    const choice = { cluster: 'nowhere', operation: 'backup' } as const;
    for (const act of [() => client.pause(choice, 'note'), () => client.resume(choice, 'note')]) {
      await assert.rejects(
        act,
        (error) =>
          error instanceof SalvorOperationError &&
          error.type === 'InvalidInput' &&
          error.message.includes('salvor/nowhere/backup'),
      );
    }
  });
});
