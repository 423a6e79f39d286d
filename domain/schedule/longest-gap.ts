/** Computes how old the newest run of a schedule may become. */
import { DAYS_TO_LOOK_AT, matchesDay } from './calendar.ts';
import type { ScheduleTimes } from './times.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** The longest time between two runs, ignoring jitter and clock changes. */
export function longestGapMs({ everyMs, calendars }: Pick<ScheduleTimes, 'everyMs' | 'calendars'>): number {
  if (everyMs !== undefined) return everyMs;
  let longest = 0;
  let previous: number | undefined;
  for (let day = 0; day < DAYS_TO_LOOK_AT; day += 1) {
    const matching = calendars.filter((calendar) => matchesDay(calendar, new Date(day * DAY_MS)));
    const minutes = matching.flatMap(({ hours, minutes }) =>
      hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute)),
    );
    for (const minute of minutes.sort((a, b) => a - b)) {
      const time = day * DAY_MS + minute * MINUTE_MS;
      if (previous !== undefined) longest = Math.max(longest, time - previous);
      previous = time;
    }
  }
  return longest;
}
