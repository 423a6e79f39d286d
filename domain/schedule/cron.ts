/** Reads the five fields of cron, as in crontab(5): minute, hour, day of month, month, day of week. */
import { type Calendar, DAYS_TO_LOOK_AT, matchesDay } from './calendar.ts';
import { ScheduleProblem } from './problem.ts';

interface Field {
  name: string;
  from: number;
  to: number;
  /** Names of the values, beginning with `from`. */
  names?: string[];
}

const MINUTE: Field = { name: 'minute', from: 0, to: 59 };
const HOUR: Field = { name: 'hour', from: 0, to: 23 };
const DAY_OF_MONTH: Field = { name: 'day of the month', from: 1, to: 31 };
const MONTH: Field = {
  name: 'month',
  from: 1,
  to: 12,
  names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
/** 7 also means Sunday. */
const DAY_OF_WEEK: Field = {
  name: 'day of the week',
  from: 0,
  to: 7,
  names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
};

const DAY_MS = 86_400_000;

/**
 * The times of a cron expression. If both the day of the month and the day of the week are restricted, a day has to
 * match only one of them, as in every cron. Temporal's own cron requires both, so it isn't given the expression.
 * @returns the calendars, and the shortest time between two runs
 * @throws ScheduleProblem
 */
export function readCron(text: string): { calendars: Calendar[]; intervalMs: number } {
  const [minute, hour, dayOfMonth, month, dayOfWeek, ...rest] = text.split(' ');
  if (minute === undefined || hour === undefined || dayOfMonth === undefined) throw wrongFields();
  if (month === undefined || dayOfWeek === undefined || rest.length > 0) throw wrongFields();

  const times = { minutes: values(minute, MINUTE), hours: values(hour, HOUR) };
  const months = month === '*' ? {} : { months: values(month, MONTH) };
  const byMonth = dayOfMonth === '*' ? {} : { daysOfMonth: values(dayOfMonth, DAY_OF_MONTH) };
  const byWeek = dayOfWeek === '*' ? {} : { daysOfWeek: sundayAsZero(values(dayOfWeek, DAY_OF_WEEK)) };
  const either = !dayOfMonth.startsWith('*') && !dayOfWeek.startsWith('*');
  const calendars: Calendar[] = either
    ? [
        { ...times, ...months, ...byMonth },
        { ...times, ...months, ...byWeek },
      ]
    : [{ ...times, ...months, ...byMonth, ...byWeek }];
  return { calendars, intervalMs: shortestGapMs(calendars, times) };
}

function wrongFields(): ScheduleProblem {
  return new ScheduleProblem('cron', 'expected five fields, as in "0 3 * * 0"');
}

/**
 * The values of one field, ascending. A field is a list of `*`, `5`, `mon` and `1-5`, each optionally with a step, as
 * in `1-30/2`.
 */
function values(text: string, field: Field): number[] {
  const found = new Set<number>();
  for (const item of text.split(',')) {
    const [range = '', stepText, ...rest] = item.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    const [first, last] = bounds(range, field, stepText !== undefined);
    if (rest.length > 0 || !/^\d+$/.test(stepText ?? '1') || step < 1 || last < first) throw wrongField(field);
    for (let value = first; value <= last; value += step) found.add(value);
  }
  return [...found].toSorted((a, b) => a - b);
}

function bounds(range: string, field: Field, stepped: boolean): [number, number] {
  if (range === '*') return [field.from, field.to === 7 ? 6 : field.to];
  const [first = '', last, ...rest] = range.split('-');
  if (rest.length > 0) throw wrongField(field);
  const from = valueOf(first, field);
  if (last !== undefined) return [from, valueOf(last, field)];
  return [from, stepped ? field.to : from];
}

function valueOf(text: string, field: Field): number {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  const value = named >= 0 ? named + field.from : Number(text);
  if ((named < 0 && !/^\d+$/.test(text)) || value < field.from || value > field.to) throw wrongField(field);
  return value;
}

function wrongField({ name, from, to, names }: Field): ScheduleProblem {
  const named = names ? ` or ${names[0]} to ${names.at(-1)}` : '';
  return new ScheduleProblem(
    'cron',
    `the ${name}: expected ${from} to ${to}${named}, "*", ranges such as ${from + 1}-${from + 3}, steps such as */2, or a list of these`,
  );
}

function sundayAsZero(days: number[]): number[] {
  return [...new Set(days.map((day) => day % 7))].toSorted((a, b) => a - b);
}

function shortestGapMs(calendars: Calendar[], { minutes, hours }: Pick<Calendar, 'minutes' | 'hours'>): number {
  const times = hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute));
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const withinDay = Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
  const overDays = shortestGapDays(calendars) * 1_440 - (last - first);
  return Math.min(withinDay, overDays) * 60_000;
}

function shortestGapDays(calendars: Calendar[]): number {
  let gap = Infinity;
  let previous: number | undefined;
  for (let day = 0; day < DAYS_TO_LOOK_AT && gap > 1; day += 1) {
    if (!calendars.some((calendar) => matchesDay(calendar, new Date(day * DAY_MS)))) continue;
    if (previous !== undefined) gap = Math.min(gap, day - previous);
    previous = day;
  }
  if (gap === Infinity) throw new ScheduleProblem('cron', 'no day ever matches; expected days that the months have');
  return gap;
}
