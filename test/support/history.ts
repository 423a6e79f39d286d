/** Reads the activities out of a workflow's history. */
import { defaultPayloadConverter } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';

export interface CompletedActivity {
  name: string;
  node: string | undefined;
  eventId: number;
  /** How often an activity of this type was scheduled for this node or store. */
  scheduled: number;
}

/** The completed activities in the order of their completion. */
export async function completedActivities(handle: WorkflowHandle): Promise<CompletedActivity[]> {
  const { events } = await handle.fetchHistory();
  const scheduled = new Map<string, { name: string; node: string | undefined; id: string }>();
  const completed: CompletedActivity[] = [];
  for (const event of events ?? []) {
    const attributes = event.activityTaskScheduledEventAttributes;
    if (attributes) {
      const [payload] = attributes.input?.payloads ?? [];
      const input = payload
        ? defaultPayloadConverter.fromPayload<{ node?: string; store?: string; key?: string }>(payload)
        : {};
      const name = attributes.activityType?.name ?? '';
      const node = input.node ?? input.store;
      scheduled.set(String(event.eventId), { name, node, id: `${name} ${node ?? ''} ${input.key ?? ''}` });
    }
    const of = event.activityTaskCompletedEventAttributes?.scheduledEventId;
    const activity = of === undefined || of === null ? undefined : scheduled.get(String(of));
    if (activity) {
      const { name, node, id } = activity;
      const times = [...scheduled.values()].filter((other) => other.id === id).length;
      completed.push({ name, node, eventId: Number(event.eventId), scheduled: times });
    }
  }
  return completed;
}
