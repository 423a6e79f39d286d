/** Salvor's schedules among all of a namespace. Others' are never touched. */
import { type Client, type ScheduleDescription, type ScheduleHandle, ScheduleNotFoundError } from '@temporalio/client';
import { parseScheduleId } from '../../domain/scheduled.ts';

/** The IDs that are Salvor's, in order. */
export async function scheduleIds(client: Client, cluster?: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of client.schedule.list()) {
    const parsed = parseScheduleId(scheduleId);
    if (parsed && (cluster === undefined || parsed.cluster === cluster)) ids.push(scheduleId);
  }
  return ids.toSorted();
}

/** Undefined when there is none. */
export async function describeSchedule(handle: ScheduleHandle): Promise<ScheduleDescription | undefined> {
  try {
    return await handle.describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
