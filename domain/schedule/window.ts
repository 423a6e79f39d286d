/** Computes the runs within a daily time window. */
import type { Calendar } from './calendar.ts';
import { ScheduleProblem } from './problem.ts';
import { withoutUndefined } from '../without-undefined.ts';

const DAY_MINUTES = 1_440;
/** The start and end in hours and minutes, and optionally a time zone. */
export const WINDOW = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)(?: (\S+))?$/;

export interface Window {
  /** The minute of the day. */
  start: number;
  lengthMinutes: number;
  timeZone?: string;
}

/**
 * Parses a window such as `22:00-06:00 Asia/Shanghai`. It may extend past midnight.
 * @throws ScheduleProblem
 */
export function readWindow(text: string): Window {
  const match = WINDOW.exec(text);
  if (!match) {
    throw new ScheduleProblem(
      'window',
      'expected "HH:MM-HH:MM" and optionally a time zone, as in "00:00-06:00 Asia/Shanghai"',
    );
  }
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = match.slice(1, 5).map(Number);
  const start = fromHour * 60 + fromMinute;
  const end = toHour * 60 + toMinute;
  if (start === end)
    throw new ScheduleProblem('window', 'starts and ends at the same time; expected another end, or no window at all');
  return withoutUndefined({ start, lengthMinutes: (end - start + DAY_MINUTES) % DAY_MINUTES, timeZone: match[5] });
}

/**
 * The times of day in steps of `everyMs` from the window's start until before its end. The steps start over in every
 * window.
 * @returns the calendars, and how late the last run may still start
 * @throws ScheduleProblem when these aren't fixed times of day, or when jitter could move a run out of the window
 */
export function timesInWindow(
  { start, lengthMinutes }: Window,
  everyMs: number,
  jitterMs: number,
): { calendars: Calendar[]; spareMs: number } {
  const every = everyMs / 60_000;
  if (!Number.isInteger(DAY_MINUTES / every) || !Number.isInteger(every)) {
    throw new ScheduleProblem(
      'every',
      'with a window, expected whole minutes that divide a day evenly, such as 30m, 6h or 1d; for other times use "cron"',
    );
  }
  const times = Array.from({ length: Math.ceil(lengthMinutes / every) }, (_, index) => start + index * every);
  const last = (times.length - 1) * every;
  const spareMs = (lengthMinutes - last) * 60_000 - jitterMs;
  if (spareMs <= 0) {
    throw new ScheduleProblem(
      'jitter',
      'would move the last run out of the window; expected less jitter, or a window that ends later',
    );
  }
  return { calendars: calendarsOf(times.map((time) => time % DAY_MINUTES)), spareMs };
}

/** As few calendars as the times allow: hours with the same minutes share one. */
function calendarsOf(times: number[]): Calendar[] {
  const byHour = Map.groupBy(
    times.toSorted((a, b) => a - b),
    (time) => Math.floor(time / 60),
  );
  const hours = [...byHour].map(([hour, ofHour]) => ({ hour, minutes: ofHour.map((time) => time % 60) }));
  return [...Map.groupBy(hours, ({ minutes }) => minutes.join()).values()].map((group) => ({
    minutes: group[0]?.minutes ?? [],
    hours: group.map(({ hour }) => hour),
  }));
}
