/** Lists, pauses, resumes and triggers Salvor's schedules. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { SalvorError } from '../../domain/errors.ts';
import { SCHEDULED_OPERATIONS, type ScheduledOperation } from '../../domain/operations/index.ts';
import { parseScheduleId, scheduleIdOf } from '../../domain/scheduled.ts';
import { describeSchedule, scheduleIds } from './schedule-lookup.ts';

export interface ScheduleReport {
  scheduleId: string;
  cluster: string;
  operation: ScheduledOperation;
  /** For people, for example `every 6h`. */
  times: string;
  paused: boolean;
  note: string | null;
  /** Null while the schedule is paused. */
  nextAt: string | null;
  last: { at: string; workflowId: string } | null;
  running: string[];
  /** Runs that Temporal missed while it was down and did not catch up on. */
  missed: number;
  /** Runs left out because the previous one was still running. */
  skipped: number;
}

/** Lists Salvor's schedules by ID. A new one may take some seconds to appear in Temporal's list. */
export async function listSchedules(client: Client, filter: { cluster?: string } = {}): Promise<ScheduleReport[]> {
  const reports: ScheduleReport[] = [];
  for (const scheduleId of await scheduleIds(client, filter.cluster)) {
    const found = await describeSchedule(client.schedule.getHandle(scheduleId));
    const parsed = parseScheduleId(scheduleId);
    if (found && parsed) reports.push({ scheduleId, ...parsed, ...reportOf(found) });
  }
  return reports;
}

function reportOf({
  action,
  state,
  info,
}: ScheduleDescription): Omit<ScheduleReport, 'scheduleId' | 'cluster' | 'operation'> {
  const times = action.memo?.['times'];
  const last = info.recentActions.at(-1);
  return {
    times: typeof times === 'string' ? times : '',
    paused: state.paused,
    note: state.note || null,
    nextAt: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
    last: last ? { at: last.takenAt.toISOString(), workflowId: last.action.workflow.workflowId } : null,
    running: info.runningActions.map(({ workflow }) => workflow.workflowId),
    missed: info.numActionsMissedCatchupWindow,
    skipped: info.numActionsSkippedOverlap,
  };
}

/** Selects one operation's schedule of a cluster, or all schedules of the cluster. */
export interface ScheduleChoice {
  cluster: string;
  operation?: ScheduledOperation;
}

/**
 * Starts no more runs; a run in progress continues.
 * @param note the reason, which every list shows
 * @returns the IDs of the schedules
 */
export async function pauseSchedules(client: Client, choice: ScheduleChoice, note: string): Promise<string[]> {
  return await forEach(client, choice, (handle) => handle.pause(note));
}

export async function resumeSchedules(client: Client, choice: ScheduleChoice, note: string): Promise<string[]> {
  return await forEach(client, choice, (handle) => handle.unpause(note));
}

async function forEach(
  client: Client,
  { cluster, operation }: ScheduleChoice,
  act: (handle: ScheduleHandle) => Promise<void>,
): Promise<string[]> {
  const done: string[] = [];
  // Each schedule is looked up by ID, because Temporal's list may not show a new one yet.
  for (const each of operation === undefined ? SCHEDULED_OPERATIONS : [operation]) {
    const scheduleId = scheduleIdOf(cluster, each);
    try {
      await act(client.schedule.getHandle(scheduleId));
      done.push(scheduleId);
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  }
  if (done.length === 0)
    throw noSchedule(operation === undefined ? `of "${cluster}"` : `"${scheduleIdOf(cluster, operation)}"`);
  return done;
}

export type TriggerReport =
  | { outcome: 'started'; workflowId: string; runId: string }
  | { outcome: 'skipped'; running: string[] }
  | { outcome: 'requested' };

const TRIGGER_DEADLINE_MS = 15_000;

/**
 * Runs a schedule now, even if it is paused, unless one of its runs is still in progress.
 * @returns `requested` if Temporal took the request but did not act on it within 15 seconds
 */
export async function triggerSchedule(
  client: Client,
  { cluster, operation }: Required<ScheduleChoice>,
): Promise<TriggerReport> {
  const handle = client.schedule.getHandle(scheduleIdOf(cluster, operation));
  const found = await describeSchedule(handle);
  if (found === undefined) throw noSchedule(`"${handle.scheduleId}"`);
  // Without this policy, Temporal would start a second run next to the first.
  await handle.trigger(ScheduleOverlapPolicy.SKIP);
  for (const deadline = Date.now() + TRIGGER_DEADLINE_MS; Date.now() < deadline; await sleep(200)) {
    const { info } = await handle.describe();
    const last = info.recentActions.at(-1);
    if (last && info.numActionsTaken > found.info.numActionsTaken) {
      const { workflowId, firstExecutionRunId: runId } = last.action.workflow;
      return { outcome: 'started', workflowId, runId };
    }
    if (info.numActionsSkippedOverlap > found.info.numActionsSkippedOverlap) {
      return { outcome: 'skipped', running: info.runningActions.map(({ workflow }) => workflow.workflowId) };
    }
  }
  return { outcome: 'requested' };
}

function noSchedule(which: string): SalvorError {
  return new SalvorError(
    'InvalidInput',
    `Temporal has no schedule ${which}; see \`salvor schedules list\`, or create it with \`salvor schedules apply\``,
  );
}
