/** `schedules apply`, `list`, `pause`, `resume` and `trigger`. */
import type { Command } from 'commander';
import { SCHEDULED_OPERATIONS, type ScheduledOperation } from '../../domain/operations/index.ts';
import { scheduleIdOf } from '../../domain/scheduled.ts';
import { action, withClient } from '../common.ts';
import { requireName } from '../input.ts';
import { note, printResult, UsageError } from '../output.ts';

/** The exit status of a trigger: 1 if nothing was started, 3 if that isn't known yet. */
const TRIGGER_STATUS = { started: 0, skipped: 1, requested: 3 } as const;

export function addSchedules(program: Command): void {
  const schedules = program.command('schedules').description('scheduled backups, prunes and drills');
  addApply(schedules);
  addList(schedules);
  addPause(schedules);
  addResume(schedules);
  addTrigger(schedules);
}

function addApply(schedules: Command): void {
  schedules
    .command('apply')
    .description('make the schedules in Temporal match the configuration; paused schedules stay paused')
    .option('--dry-run', 'show what would be done, and do nothing')
    .action(
      action<{ dryRun?: boolean }>(async (options) => {
        const { requireConfiguration } = await import('../../adapters/configuration/find.ts');
        const { loadConfiguration } = await import('../../adapters/configuration/load.ts');
        const configuration = await loadConfiguration(await requireConfiguration(options.config));
        return withClient(options, async ({ schedules }) => {
          const dryRun = options.dryRun ?? false;
          const changes = await schedules.apply(configuration, { dryRun });
          const { renderChanges } = await import('../render/schedules.ts');
          printResult(options.output, { dryRun, changes }, (look) => renderChanges(changes, look));
          if (dryRun) note('Dry run: nothing was changed.');
          return 0;
        });
      }),
    );
}

function addList(schedules: Command): void {
  schedules
    .command('list')
    .description('list the schedules: when each runs next, and how its last runs ended')
    .argument('[cluster]', 'only this cluster')
    .action(
      action(async (options, cluster?: string) => {
        if (cluster !== undefined) requireName('cluster', cluster);
        return withClient(options, async ({ schedules }) => {
          const found = await schedules.list(cluster === undefined ? {} : { cluster });
          const { renderSchedules } = await import('../render/schedules.ts');
          printResult(options.output, { schedules: found }, (look) => renderSchedules(found, look));
          return 0;
        });
      }),
    );
}

function addPause(schedules: Command): void {
  schedules
    .command('pause')
    .description('start no more runs until `resume`; a run that has started continues')
    .argument('<cluster>')
    .argument('[operation]', `${SCHEDULED_OPERATIONS.join(', ')}; default: all of the cluster's`)
    .requiredOption('--note <why>', 'the reason, shown in the list')
    .action(
      action<{ note: string }>(async (options, cluster = '', operation?: string) => {
        const choice = chosen(cluster, operation);
        return withClient(options, async ({ schedules }) => {
          const paused = await schedules.pause(choice, options.note);
          printResult(options.output, { paused }, () => paused.map((id) => `paused ${id}`).join('\n'));
          return 0;
        });
      }),
    );
}

function addResume(schedules: Command): void {
  schedules
    .command('resume')
    .description('start scheduled runs again')
    .argument('<cluster>')
    .argument('[operation]', `${SCHEDULED_OPERATIONS.join(', ')}; default: all of the cluster's`)
    .option('--note <text>', 'a note, shown in the list', 'resumed')
    .action(
      action<{ note: string }>(async (options, cluster = '', operation?: string) => {
        const choice = chosen(cluster, operation);
        return withClient(options, async ({ schedules }) => {
          const resumed = await schedules.resume(choice, options.note);
          printResult(options.output, { resumed }, () => resumed.map((id) => `resumed ${id}`).join('\n'));
          return 0;
        });
      }),
    );
}

function addTrigger(schedules: Command): void {
  schedules
    .command('trigger')
    .description('start a run now, even if paused, unless one is already running')
    .argument('<cluster>')
    .argument('<operation>', SCHEDULED_OPERATIONS.join(', '))
    .action(
      action(async (options, cluster = '', name = '') => {
        const choice = { cluster: requireName('cluster', cluster), operation: requireOperation(name) };
        return withClient(options, async ({ schedules }) => {
          const report = await schedules.trigger(choice);
          const { renderTrigger } = await import('../render/schedules.ts');
          const scheduleId = scheduleIdOf(choice.cluster, choice.operation);
          printResult(options.output, { scheduleId, ...report }, () => renderTrigger(scheduleId, report));
          return TRIGGER_STATUS[report.outcome];
        });
      }),
    );
}

function chosen(cluster: string, operation?: string): { cluster: string; operation?: ScheduledOperation } {
  requireName('cluster', cluster);
  return operation === undefined ? { cluster } : { cluster, operation: requireOperation(operation) };
}

function requireOperation(name: string): ScheduledOperation {
  const operation = SCHEDULED_OPERATIONS.find((known) => known === name);
  if (operation !== undefined) return operation;
  throw new UsageError(`${JSON.stringify(name)} has no schedules; expected one of: ${SCHEDULED_OPERATIONS.join(', ')}`);
}
