/** Computes the times at which a schedule of the configuration runs. */
import { parseDurationMs } from '../values.ts';
import type { Calendar } from './calendar.ts';
import { readCron } from './cron.ts';
import { ScheduleProblem, type ScheduleRule } from './problem.ts';
import { readWindow, timesInWindow } from './window.ts';

export interface ScheduleTimes {
  /** A run starts at every time that matches one of them; empty when `everyMs` is set. */
  calendars: Calendar[];
  /** The interval, counted from the beginning of 1970 in UTC. */
  everyMs?: number;
  /** Each run is delayed by a random time up to this. */
  jitterMs: number;
  /**
   * The time zone of the calendars. A time that the clocks skip in spring is skipped; a time that occurs twice in
   * autumn runs twice.
   */
  timeZone: string;
  /** How late a missed run may still start: by about one interval, but never after the end of the window. */
  catchupMs: number;
  /** For people. */
  description: string;
}

/** The minimum that Temporal accepts. */
const LEAST_CATCHUP_MS = 10_000;

/**
 * The times that `every` or `cron` describe, with `window`, `jitter` and `timeZone`:
 * - `every` alone counts from 1970 in UTC: every 6h means 00:00, 06:00, 12:00 and 18:00 UTC.
 * - `every` with a window gives times of day, in steps of `every` from the window's start until before its end.
 * - `cron` has the meaning that it has for crontab, in the time zone.
 * @throws ScheduleProblem (`InvalidConfiguration`) for a rule that can't be expressed in these ways
 */
export function scheduleTimes(rule: ScheduleRule): ScheduleTimes {
  const jitterMs = rule.jitter === undefined ? 0 : durationMs(rule.jitter, 'jitter');
  if (rule.cron !== undefined) return cronTimes(rule.cron, rule, jitterMs);
  if (rule.every === undefined) throw new ScheduleProblem('every', 'missing; expected either "every" or "cron"');
  const everyMs = durationMs(rule.every, 'every');
  if (everyMs === 0) throw new ScheduleProblem('every', 'expected more than 0');
  if (rule.window !== undefined) return windowTimes(rule.window, everyMs, rule, jitterMs);
  if (rule.timeZone !== undefined) {
    throw new ScheduleProblem(
      'timeZone',
      '"every" without a window counts in UTC; expected a window, "cron", or no time zone',
    );
  }
  return {
    calendars: [],
    everyMs,
    jitterMs,
    timeZone: 'UTC',
    catchupMs: Math.max(everyMs, LEAST_CATCHUP_MS),
    description: `every ${rule.every}`,
  };
}

function cronTimes(cron: string, rule: ScheduleRule, jitterMs: number): ScheduleTimes {
  if (rule.every !== undefined) throw new ScheduleProblem('cron', 'expected either "every" or "cron"');
  if (rule.window !== undefined) {
    throw new ScheduleProblem('window', 'belongs to "every"; with "cron" it has no use');
  }
  const { calendars, intervalMs } = readCron(cron);
  const timeZone = zoneOf(rule.timeZone, 'timeZone');
  const catchupMs = Math.max(intervalMs, LEAST_CATCHUP_MS);
  return { calendars, jitterMs, timeZone, catchupMs, description: `cron "${cron}" ${timeZone}` };
}

function windowTimes(text: string, everyMs: number, rule: ScheduleRule, jitterMs: number): ScheduleTimes {
  const window = readWindow(text);
  if (window.timeZone !== undefined && rule.timeZone !== undefined && window.timeZone !== rule.timeZone) {
    throw new ScheduleProblem('timeZone', 'differs from the time zone of the window; expected only one');
  }
  const { calendars, spareMs } = timesInWindow(window, everyMs, jitterMs);
  const timeZone =
    window.timeZone === undefined ? zoneOf(rule.timeZone, 'timeZone') : zoneOf(window.timeZone, 'window');
  const catchupMs = Math.max(Math.min(everyMs, spareMs), LEAST_CATCHUP_MS);
  const description = `every ${rule.every} within ${text.split(' ')[0]} ${timeZone}`;
  return { calendars, jitterMs, timeZone, catchupMs, description };
}

/**
 * Temporal loads a time zone from the file with its name. This runtime also accepts `+08:00` and `asia/shanghai`, but
 * there is no file for them.
 */
function zoneOf(name: string | undefined, field: 'timeZone' | 'window'): string {
  if (name === undefined || /^[A-Z]/.test(name)) return name ?? 'UTC';
  throw new ScheduleProblem(field, 'expected the name of a time zone, as in Asia/Shanghai, or Etc/GMT-8 for UTC+8');
}

function durationMs(text: string, field: 'every' | 'jitter'): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined) return ms;
  throw new ScheduleProblem(field, 'expected a duration such as 90s, 10m, 6h, 30d or 2w');
}
