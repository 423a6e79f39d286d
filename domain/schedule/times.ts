/** When a schedule of the configuration runs. */
import { parseDurationMs } from '../values.ts';
import type { Calendar } from './calendar.ts';
import { readCron } from './cron.ts';
import { ScheduleProblem, type ScheduleRule } from './problem.ts';
import { readWindow, timesInWindow } from './window.ts';

export interface ScheduleTimes {
  /** All that match; empty when `everyMs` is set. */
  calendars: Calendar[];
  /** Counted from the beginning of 1970, in UTC. */
  everyMs?: number;
  /** Each run comes later by a random time up to this. */
  jitterMs: number;
  /**
   * Of the calendars. A time that the clocks leave out in spring is left out, one that comes twice in autumn runs
   * twice.
   */
  timeZone: string;
  /** For how long a run that was missed is still made up for: about one interval, and never past the window. */
  catchupMs: number;
  /** For people. */
  description: string;
}

/** Temporal's own least. */
const LEAST_CATCHUP_MS = 10_000;

/**
 * What is said by `every` or `cron`, with `window`, `jitter` and `timeZone`:
 * - `every` alone counts from 1970 in UTC: every 6h is 00:00, 06:00, 12:00 and 18:00 UTC.
 * - `every` with a window gives times of day, from the window's start in steps of `every`, up to its end and without
 * it.
 * - `cron` is what crontab makes of it, in the time zone.
 * @throws ScheduleProblem (`InvalidConfiguration`) for what can't be said that way
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
 * Temporal loads a zone from a file of its name: `+08:00` and `asia/shanghai`, which this runtime would take, have
 * none.
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
