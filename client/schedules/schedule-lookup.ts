/** Finds Salvor's schedules among all schedules of a namespace. Other schedules are never touched. */
import { type Client, type ScheduleDescription, type ScheduleHandle, ScheduleNotFoundError } from '@temporalio/client';
import { parseScheduleId } from '../../domain/scheduled.ts';

/** The IDs of Salvor's schedules, sorted. */
export async function scheduleIds(client: Client, cluster?: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of client.schedule.list()) {
    const parsed = parseScheduleId(scheduleId);
    if (parsed && (cluster === undefined || parsed.cluster === cluster)) ids.push(scheduleId);
  }
  return ids.toSorted();
}

/** Describes a schedule; undefined if it does not exist. */
export async function describeSchedule(handle: ScheduleHandle): Promise<ScheduleDescription | undefined> {
  try {
    return await handle.describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
