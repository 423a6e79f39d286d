/** The periods that the rules count in. All of them are in UTC. */

const DAY_MS = 86_400_000;

/** The rules that keep the newest backup of each period, for the N newest periods that have a backup. */
export const PERIOD_RULES = ['keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const;
export type PeriodRule = (typeof PERIOD_RULES)[number];

/**
 * The name of the period that a time falls into. Within one rule, the names sort in the order of time.
 */
export function periodOf(rule: PeriodRule, timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  switch (rule) {
    case 'keepHourly':
      return `${iso.slice(0, 10)} ${iso.slice(11, 13)}h`;
    case 'keepDaily':
      return iso.slice(0, 10);
    case 'keepWeekly':
      return isoWeekOf(timeMs);
    case 'keepMonthly':
      return iso.slice(0, 7);
    case 'keepYearly':
      return iso.slice(0, 4);
  }
}

/** The ISO 8601 week, as in `2026-W01`: it begins on Monday and belongs to the year of its Thursday. */
function isoWeekOf(timeMs: number): string {
  const daysSinceMonday = (new Date(timeMs).getUTCDay() + 6) % 7;
  const thursday = new Date(timeMs + (3 - daysSinceMonday) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}
