import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { applySchedules } from '../../client/schedules/apply-schedules.ts';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import { lockWorkflowId, type SkippedReport, TASK_QUEUE } from '../../domain/operations/common.ts';
import type { ListBackupsReport } from '../../domain/operations/list-backups.ts';
import type { PruneReport } from '../../domain/operations/prune.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import type { VerifyReport } from '../../domain/operations/verify.ts';
import { scheduleIdOf, wantedSchedules } from '../../domain/scheduled.ts';
import type { ScheduledOperation } from '../../domain/operations/index.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, startWorld, type World } from '../support/world.ts';

// A prune that would remove more than it keeps waits for a person; on a busy machine backups pile up between two prunes.
const KEPT = 8;
const DEADLINE_MS = 300_000;

let world: World;
before(async () => {
  world = await startWorld({ kubernetes: false });
  await putKeys(world.etcd(), 100);
  await world.configure(({ stores }) => {
    for (const store of Object.values(stores)) Object.assign(store, { retention: { keepLast: KEPT } });
  });
});
after(async () => await world.down());

/** Makes Temporal's schedules those of the configuration, as `salvor schedules apply` does. */
async function schedule(schedules: Partial<Record<ScheduledOperation, { every: string }>>): Promise<void> {
  await world.configure(({ clusters }) => {
    Object.assign(clusters[cluster] ?? {}, { schedules });
  });
  const configuration = await loadConfiguration(world.playground.configFile);
  await applySchedules(world.temporal, wantedSchedules(configuration, TASK_QUEUE), { taskQueue: TASK_QUEUE });
}

/** The reports of the schedule's runs as they end, newest last; a run that fails, fails the test. */
function runsOf<R>(operation: ScheduledOperation): { reports: R[]; look: () => Promise<R[]> } {
  const seen = new Set<string>();
  const reports: R[] = [];
  return {
    reports,
    async look() {
      const handle = world.temporal.schedule.getHandle(scheduleIdOf(cluster, operation));
      for (const { action } of (await handle.describe()).info.recentActions) {
        const { workflowId } = action.workflow;
        const run = world.temporal.workflow.getHandle(workflowId);
        if (seen.has(workflowId) || (await run.describe()).status.name === 'RUNNING') continue;
        seen.add(workflowId);
        reports.push((await run.result()) as R);
      }
      return reports;
    },
  };
}

test('short schedules back up, prune and verify a real cluster, again and again, and no run fails', async () => {
  // Schedules fire at round times: the drill's may come before the first backup's, and has nothing to prove then.
  await world.run<BackupReport>('backup', { cluster });
  await schedule({ backup: { every: '5s' }, prune: { every: '7s' }, verify: { every: '20s' } });
  const backups = runsOf<BackupReport | SkippedReport>('backup');
  const prunes = runsOf<PruneReport | SkippedReport>('prune');
  const drills = runsOf<VerifyReport>('verify');
  await until(
    'enough backups, a pruned one and a drill',
    async () => {
      await Promise.all([backups.look(), prunes.look(), drills.look()]);
      const taken = backups.reports.filter(({ state }) => state === 'complete').length;
      const removed = prunes.reports.some(
        (report) => 'stores' in report && report.stores.some((store) => store.removed.length > 0),
      );
      return taken > KEPT && removed && drills.reports.length > 0;
    },
    DEADLINE_MS,
  );
  await schedule({});

  // Two that meet are no failure either.
  const states = new Set(backups.reports.map(({ state }) => state));
  assert.ok(
    [...states].every((state) => state === 'complete' || state === 'skipped'),
    [...states].join(', '),
  );
  for (const { proof } of drills.reports) assert.ok(['restored', 'served'].includes(proof), proof);
  await untilFree();
  const { backups: listed } = await world.run<ListBackupsReport>('listBackups', { cluster });
  assert.ok(listed.some(({ proof }) => proof === 'restored' || proof === 'served'));
});

test('a scheduled backup that meets a restore is completed as skipped, naming it, and the next one after it is taken', async () => {
  await untilFree();
  const restore = await world.start('restore', { cluster, confirm: cluster, approve: 'auto', backup: 'latest' });
  await until('the restore holds the cluster', async () => await isHeld());
  await schedule({ backup: { every: '1s' } });
  const runs = runsOf<BackupReport | SkippedReport>('backup');
  const skipped = await until(
    'a backup met the restore',
    async () => (await runs.look()).find((report): report is SkippedReport => report.state === 'skipped'),
    DEADLINE_MS,
  );
  assert.equal(skipped.cluster, cluster);
  assert.ok(skipped.reason.includes(restore.workflowId), skipped.reason);

  const report = (await restore.result()) as RestoreReport;
  assert.equal(report.outcome, 'restored');
  await until(
    'a backup after the restore',
    async () => (await runs.look()).some(({ state }) => state === 'complete'),
    DEADLINE_MS,
  );
  await schedule({});
  await untilFree();
});

async function isHeld(): Promise<boolean> {
  const hold = await world.temporal.workflow
    .getHandle(lockWorkflowId(cluster))
    .describe()
    .catch(() => undefined);
  return hold?.status.name === 'RUNNING';
}

async function untilFree(): Promise<void> {
  await until('nothing holds the cluster', async () => !(await isHeld()), DEADLINE_MS);
}
