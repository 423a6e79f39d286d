/** Finds the backups that the rules of a store keep, each with the reason. */
import type { Retention } from '../configuration/stores.ts';
import { parseDurationMs } from '../values.ts';
import { SalvorError } from '../errors.ts';
import { PERIOD_RULES, type PeriodRule, periodOf } from './buckets.ts';

/** Something with a time, in milliseconds since 1970. */
export interface Timed {
  timeMs: number;
}

/** Whether any rule says what to keep. Without one, everything is kept as far as `maxBytes` allows. */
export function hasKeepRule(rules: Retention): boolean {
  return (['keepLast', 'keepWithin', ...PERIOD_RULES] as const).some((rule) => rules[rule] !== undefined);
}

/**
 * The entries that at least one rule keeps.
 * @param timeline newest first
 * @returns each entry that is kept, with the first rule that keeps it as the reason
 */
export function keptByRules<T extends Timed>(timeline: readonly T[], rules: Retention, now: Date): Map<T, string> {
  const kept = new Map<T, string>();
  function keep(entry: T, reason: string): void {
    if (!kept.has(entry)) kept.set(entry, reason);
  }

  for (const [index, entry] of timeline.slice(0, rules.keepLast ?? 0).entries()) {
    keep(entry, `kept by keepLast: ${index + 1} of ${rules.keepLast}`);
  }
  if (rules.keepWithin !== undefined) {
    const oldestMs = now.getTime() - durationMs(rules.keepWithin);
    for (const entry of timeline) {
      if (entry.timeMs < oldestMs) break;
      keep(entry, `kept by keepWithin: younger than ${rules.keepWithin}`);
    }
  }
  for (const rule of PERIOD_RULES) {
    for (const [period, entry] of newestOfPeriods(timeline, rule, rules[rule] ?? 0)) {
      keep(entry, `kept by ${rule}: last of ${period}`);
    }
  }
  return kept;
}

/** The newest entry of each period, for the `count` newest periods that have an entry. */
function newestOfPeriods<T extends Timed>(timeline: readonly T[], rule: PeriodRule, count: number): Map<string, T> {
  const newest = new Map<string, T>();
  if (count === 0) return newest;
  for (const entry of timeline) {
    const period = periodOf(rule, entry.timeMs);
    if (newest.has(period)) continue;
    if (newest.size === count) break;
    newest.set(period, entry);
  }
  return newest;
}

function durationMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined) return ms;
  throw new SalvorError('InvalidConfiguration', `keepWithin is "${text}", expected a duration such as 30d`);
}
