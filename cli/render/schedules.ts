/** Schedules, and what `apply` did with them. */
import type { ScheduleChange } from '../../client/schedules/apply-schedules.ts';
import type { ScheduleReport, TriggerReport } from '../../client/schedules/schedules.ts';
import { formatAge, formatTime, type Look } from './format.ts';
import { type Cell, renderTable } from './table.ts';

const STYLES = { created: 'green', updated: 'yellow', unchanged: 'dim', deleted: 'red', kept: 'dim' } as const;

export function renderChanges(changes: ScheduleChange[], look: Look): string {
  if (changes.length === 0) return 'There are no schedules, neither in the configuration nor in Temporal.';
  return renderTable(
    ['SCHEDULE', 'OUTCOME', 'DETAIL'],
    changes.map(({ scheduleId, outcome, detail, paused }) => [
      scheduleId,
      { text: outcome, style: STYLES[outcome] },
      [detail, paused ? 'paused' : null].filter((part) => part !== null).join('; '),
    ]),
    look,
  );
}

export function renderSchedules(schedules: ScheduleReport[], look: Look): string {
  if (schedules.length === 0) return 'No schedules. `salvor schedules apply` creates the configured ones.';
  return renderTable(
    ['CLUSTER', 'OPERATION', 'TIMES', 'NEXT', 'LAST', 'MISSED', 'SKIPPED'],
    schedules.map((schedule) => row(schedule, look)),
    look,
    { right: ['LAST', 'MISSED', 'SKIPPED'] },
  );
}

function row(
  { cluster, operation, times, paused, note, nextAt, last, running, missed, skipped }: ScheduleReport,
  look: Look,
): Cell[] {
  const next: Cell = paused
    ? { text: `paused${note === null ? '' : `: ${note}`}`, style: 'yellow' }
    : nextAt === null
      ? 'never'
      : formatTime(new Date(nextAt), look);
  return [
    cluster,
    operation,
    times,
    next,
    running.length > 0
      ? { text: 'running', style: 'bold' }
      : last === null
        ? '-'
        : formatAge(new Date(last.at), look.now),
    missed === 0 ? '0' : { text: String(missed), style: 'yellow' },
    String(skipped),
  ];
}

export function renderTrigger(scheduleId: string, report: TriggerReport): string {
  switch (report.outcome) {
    case 'started':
      return `started ${report.workflowId}; follow it: salvor show ${report.workflowId}`;
    case 'skipped':
      return `skipped: ${report.running.join(', ') || `a run of ${scheduleId}`} is still running`;
    case 'requested':
      return `requested, but not started yet; see \`salvor schedules list\``;
  }
}
