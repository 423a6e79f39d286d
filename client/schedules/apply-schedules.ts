/** Makes Temporal's schedules match the configuration. */
import { type Client, ScheduleAlreadyRunning, type ScheduleHandle } from '@temporalio/client';
import type { WantedSchedule } from '../../domain/scheduled.ts';
import { definitionOf, differencesFrom } from './schedule-definition.ts';
import { describeSchedule, scheduleIds } from './schedule-lookup.ts';

export interface ScheduleChange {
  scheduleId: string;
  /** `kept`: the configuration doesn't have the schedule, but it belongs to workers of another task queue. */
  outcome: 'created' | 'updated' | 'unchanged' | 'deleted' | 'kept';
  /** For people: what differed, or why the schedule was kept. */
  detail: string | null;
  paused: boolean;
}

export interface ApplyOptions {
  /** The queue of the workers that have this configuration; only schedules that start work for them are deleted. */
  taskQueue: string;
  /** Reports what would be done, and does nothing. */
  dryRun?: boolean;
}

/**
 * Makes Temporal's schedules match the wanted ones: creates, updates and deletes. A paused schedule stays paused and
 * keeps its note. A second call changes nothing; if a call stops half-way, call it again.
 */
export async function applySchedules(
  client: Client,
  wanted: WantedSchedule[],
  options: ApplyOptions,
): Promise<ScheduleChange[]> {
  const changes: ScheduleChange[] = [];
  for (const schedule of wanted) changes.push(await applyOne(client, schedule, options.dryRun ?? false));
  const ids = new Set(wanted.map(({ scheduleId }) => scheduleId));
  for (const scheduleId of await scheduleIds(client)) {
    if (ids.has(scheduleId)) continue;
    const change = await removeUnwanted(client.schedule.getHandle(scheduleId), options);
    if (change) changes.push(change);
  }
  return changes;
}

async function applyOne(client: Client, wanted: WantedSchedule, dryRun: boolean): Promise<ScheduleChange> {
  const { scheduleId } = wanted;
  const handle = client.schedule.getHandle(scheduleId);
  const found = await describeSchedule(handle);
  if (found === undefined) {
    const created: ScheduleChange = { scheduleId, outcome: 'created', detail: wanted.times.description, paused: false };
    if (dryRun) return created;
    try {
      await client.schedule.create({ scheduleId, ...definitionOf(wanted) });
      return created;
    } catch (error) {
      // Someone else applied the same configuration at the same moment.
      if (error instanceof ScheduleAlreadyRunning) return await applyOne(client, wanted, dryRun);
      throw error;
    }
  }
  const { paused } = found.state;
  const differences = differencesFrom(wanted, found);
  if (differences.length === 0) return { scheduleId, outcome: 'unchanged', detail: null, paused };
  // The update keeps the schedule's current pause, its note and whatever else an operator set.
  if (!dryRun) await handle.update(({ state }) => ({ ...definitionOf(wanted), state }));
  return { scheduleId, outcome: 'updated', detail: differences.join(', '), paused };
}

async function removeUnwanted(
  handle: ScheduleHandle,
  { taskQueue, dryRun = false }: ApplyOptions,
): Promise<ScheduleChange | undefined> {
  const { scheduleId } = handle;
  const found = await describeSchedule(handle);
  if (found === undefined) return undefined;
  const { paused } = found.state;
  if (found.action.taskQueue !== taskQueue) {
    const detail = `of the task queue "${found.action.taskQueue}", not "${taskQueue}"`;
    return { scheduleId, outcome: 'kept', detail, paused };
  }
  if (!dryRun) await handle.delete();
  return { scheduleId, outcome: 'deleted', detail: 'not in the configuration', paused };
}
