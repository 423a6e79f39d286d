/** A wanted schedule in Temporal's terms, and how an existing one differs from it. */
import { isDeepStrictEqual } from 'node:util';
import {
  DAYS_OF_WEEK,
  MONTHS,
  type ScheduleDescription,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
  type ScheduleSpecDescription,
} from '@temporalio/client';
import type { WantedSchedule } from '../../domain/scheduled.ts';
import type { Calendar } from '../../domain/schedule/calendar.ts';
import type { ScheduleTimes } from '../../domain/schedule/times.ts';
import { CLUSTER, OPERATION, searchAttributesOf } from '../search-attributes.ts';

/** The part of a schedule that Salvor decides; operators decide whether it is paused. */
export type ScheduleDefinition = Required<Pick<ScheduleOptions, 'spec' | 'policies' | 'action'>>;

export function definitionOf({ scheduleId, cluster, operation, times, action }: WantedSchedule): ScheduleDefinition {
  const { summary, ...rest } = action;
  return {
    spec: specOf(times),
    // By default, Temporal catches up on the missed runs of a whole year.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: times.catchupMs, pauseOnFailure: false },
    action: {
      type: 'startWorkflow',
      ...rest,
      staticSummary: summary,
      memo: { startedBy: `schedule ${scheduleId}`, times: times.description },
      typedSearchAttributes: searchAttributesOf(operation, cluster),
    },
  };
}

function specOf({ calendars, everyMs, jitterMs, timeZone }: ScheduleTimes): ScheduleSpec {
  return {
    calendars: calendars.map(({ minutes, hours, daysOfMonth, months, daysOfWeek }) => ({
      minute: minutes,
      hour: hours,
      ...(daysOfMonth && { dayOfMonth: daysOfMonth }),
      ...(months && { month: months.flatMap((month) => MONTHS[month - 1] ?? []) }),
      ...(daysOfWeek && { dayOfWeek: daysOfWeek.flatMap((day) => DAYS_OF_WEEK[day] ?? []) }),
    })),
    intervals: everyMs === undefined ? [] : [{ every: everyMs }],
    jitter: jitterMs,
    timezone: timeZone,
  };
}

/** The parts of an existing schedule that differ from the wanted one; empty if an update would change nothing. */
export function differencesFrom(
  wanted: WantedSchedule,
  found: ScheduleDescription,
): ('times' | 'policies' | 'action')[] {
  const { policies, action } = definitionOf(wanted);
  const same = {
    times: isDeepStrictEqual(wantedTimes(wanted.times), foundTimes(found.spec)),
    policies: isDeepStrictEqual(policies, found.policies),
    action: isDeepStrictEqual(
      [
        action.workflowType,
        action.workflowId,
        action.args,
        action.taskQueue,
        action.staticSummary,
        action.memo,
        wanted.cluster,
        wanted.operation,
      ],
      [
        found.action.workflowType,
        found.action.workflowId,
        found.action.args,
        found.action.taskQueue,
        found.action.staticSummary,
        found.action.memo,
        attributeOf(found.action, CLUSTER.name),
        attributeOf(found.action, OPERATION.name),
      ],
    ),
  };
  return (['times', 'policies', 'action'] as const).filter((part) => !same[part]);
}

/** Narrows the type: the property is typed as what may be passed in, not as what Temporal returns. */
function attributeOf(action: ScheduleDescription['action'], name: string): unknown {
  const attributes = action.typedSearchAttributes;
  const pairs = attributes === undefined ? [] : Array.isArray(attributes) ? attributes : attributes.getAll();
  return pairs.find(({ key }) => key.name === name)?.value;
}

/** The length of a list of values that restricts nothing. */
const ALL = {
  minutes: 60,
  hours: 24,
  daysOfMonth: 31,
  months: 12,
  daysOfWeek: 7,
};

/** The times in one normal form, in which "every day" is no restriction, however it was written. */
function wantedTimes({ calendars, everyMs, jitterMs, timeZone }: ScheduleTimes): object {
  return {
    calendars: calendars.map((calendar) => calendarText(calendar)).toSorted(),
    intervals: everyMs === undefined ? [] : [[everyMs, 0]],
    jitter: jitterMs,
    timezone: timeZone,
    others: 0,
  };
}

function foundTimes(spec: ScheduleSpecDescription): object {
  return {
    calendars: (spec.calendars ?? [])
      .map((calendar) =>
        calendarText(
          {
            minutes: expand(calendar.minute),
            hours: expand(calendar.hour),
            daysOfMonth: expand(calendar.dayOfMonth),
            months: expand(named(calendar.month, MONTHS)).map((index) => index + 1),
            daysOfWeek: expand(named(calendar.dayOfWeek, DAYS_OF_WEEK)),
          },
          expand(calendar.second),
          calendar.year.length > 0,
        ),
      )
      .toSorted(),
    // Temporal leaves out an offset of zero.
    intervals: (spec.intervals ?? []).map(({ every, offset }) => [every, offset ?? 0]),
    jitter: spec.jitter ?? 0,
    timezone: spec.timezone || 'UTC',
    // Salvor never sets these; a person did.
    others: (spec.skip?.length ?? 0) + (spec.startAt === undefined ? 0 : 1) + (spec.endAt === undefined ? 0 : 1),
  };
}

function calendarText(calendar: Calendar, seconds: number[] = [0], certainYears = false): string {
  const parts = (['minutes', 'hours', 'daysOfMonth', 'months', 'daysOfWeek'] as const).map((part) => {
    const values = calendar[part] ?? [];
    return values.length === 0 || values.length === ALL[part] ? '*' : values.join();
  });
  return [seconds.join(), ...parts, certainYears ? 'certain years' : '*'].join(' ');
}

interface NumberRange {
  start: number;
  end: number;
  step: number;
}

function expand(ranges: NumberRange[]): number[] {
  const values = new Set<number>();
  for (const { start, end, step } of ranges) for (let value = start; value <= end; value += step) values.add(value);
  return [...values].toSorted((a, b) => a - b);
}

function named<T extends string>(ranges: { start: T; end: T; step: number }[], names: readonly T[]): NumberRange[] {
  return ranges.map(({ start, end, step }) => ({ start: names.indexOf(start), end: names.indexOf(end), step }));
}
