/** An operator's hand on Salvor's schedules. */
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
  /** For people, as in `every 6h`. */
  times: string;
  paused: boolean;
  note: string | null;
  /** Null while it is paused. */
  nextAt: string | null;
  last: { at: string; workflowId: string } | null;
  running: string[];
  /** Runs that were not made up for after Temporal was away. */
  missed: number;
  /** Runs left out because the one before was still running. */
  skipped: number;
}

/** Every schedule of Salvor, by ID. A new one may take some seconds to appear: Temporal lists with a delay. */
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

/** Which schedules: one operation's of a cluster, or all of the cluster's. */
export interface ScheduleChoice {
  cluster: string;
  operation?: ScheduledOperation;
}

/**
 * Stops the runs to come; one that runs goes on.
 * @param note why: it stands in every list
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
  // Asked for one by one: a new schedule isn't in Temporal's list yet.
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
 * Runs it now, paused or not, unless a run of it is still going on.
 * @returns `requested` when Temporal took the request and hasn't acted on it for a while
 */
export async function triggerSchedule(
  client: Client,
  { cluster, operation }: Required<ScheduleChoice>,
): Promise<TriggerReport> {
  const handle = client.schedule.getHandle(scheduleIdOf(cluster, operation));
  const found = await describeSchedule(handle);
  if (found === undefined) throw noSchedule(`"${handle.scheduleId}"`);
  // Without a policy Temporal starts a second one beside the first.
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
