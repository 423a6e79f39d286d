/** Times that come back by the clock and the calendar: every combination of what is listed. */
export interface Calendar {
  /** 0 to 59, ascending. */
  minutes: number[];
  /** 0 to 23, ascending. */
  hours: number[];
  /** 1 to 31; absent stands for every day, as for months and days of the week. */
  daysOfMonth?: number[];
  /** 1 to 12. */
  months?: number[];
  /** 0 (Sunday) to 6. */
  daysOfWeek?: number[];
}

/** After 28 years every day of a month was every day of the week, 29 February among them. */
export const DAYS_TO_LOOK_AT = 28 * 366;

/** Whether a UTC day is one of the calendar's. */
export function matchesDay({ daysOfMonth, months, daysOfWeek }: Calendar, day: Date): boolean {
  return (
    (daysOfMonth?.includes(day.getUTCDate()) ?? true) &&
    (months?.includes(day.getUTCMonth() + 1) ?? true) &&
    (daysOfWeek?.includes(day.getUTCDay()) ?? true)
  );
}
