/** The Temporal Schedules that a configuration asks for. */
import type { Configuration } from './configuration/schema.ts';
import { SCHEDULED_OPERATIONS, type ScheduledOperation } from './operations/index.ts';
import { type ScheduleTimes, scheduleTimes } from './schedule/times.ts';

/** The ID of every Salvor schedule begins with it; Salvor leaves all other schedules alone. */
export const SCHEDULE_PREFIX = 'salvor/';

export interface WantedSchedule {
  scheduleId: string;
  cluster: string;
  operation: ScheduledOperation;
  times: ScheduleTimes;
  action: {
    workflowType: ScheduledOperation;
    /** Temporal appends `-<time>` to it for every run. */
    workflowId: string;
    args: [{ cluster: string }];
    taskQueue: string;
    summary: string;
  };
}

/** `salvor/<cluster>/<operation>` */
export function scheduleIdOf(cluster: string, operation: ScheduledOperation): string {
  return `${SCHEDULE_PREFIX}${cluster}/${operation}`;
}

/** The cluster and operation of an ID that {@link scheduleIdOf} made; undefined for any other ID. */
export function parseScheduleId(id: string): { cluster: string; operation: ScheduledOperation } | undefined {
  if (!id.startsWith(SCHEDULE_PREFIX)) return undefined;
  const [cluster, name, ...rest] = id.slice(SCHEDULE_PREFIX.length).split('/');
  const operation = SCHEDULED_OPERATIONS.find((known) => known === name);
  return cluster && operation && rest.length === 0 ? { cluster, operation } : undefined;
}

/**
 * The schedules of all clusters.
 * @param taskQueue the queue of the workers that have this configuration
 * @throws SalvorError `InvalidConfiguration` for times that can't be scheduled
 */
export function wantedSchedules(configuration: Pick<Configuration, 'clusters'>, taskQueue: string): WantedSchedule[] {
  return Object.entries(configuration.clusters).flatMap(([cluster, { schedules }]) =>
    SCHEDULED_OPERATIONS.flatMap((operation) => {
      const rule = schedules[operation];
      return rule === undefined ? [] : [wantedSchedule(cluster, operation, scheduleTimes(rule), taskQueue)];
    }),
  );
}

function wantedSchedule(
  cluster: string,
  operation: ScheduledOperation,
  times: ScheduleTimes,
  taskQueue: string,
): WantedSchedule {
  return {
    scheduleId: scheduleIdOf(cluster, operation),
    cluster,
    operation,
    times,
    action: {
      workflowType: operation,
      workflowId: `${operation}/${cluster}/scheduled`,
      args: [{ cluster }],
      taskQueue,
      summary: `Scheduled ${operation} of ${cluster}`,
    },
  };
}
