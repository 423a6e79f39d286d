/** Recurring times: every combination of the listed minutes, hours, days and months. */
export interface Calendar {
  /** 0 to 59, ascending. */
  minutes: number[];
  /** 0 to 23, ascending. */
  hours: number[];
  /** 1 to 31. If absent, every day matches; the same holds for months and days of the week. */
  daysOfMonth?: number[];
  /** 1 to 12. */
  months?: number[];
  /** 0 (Sunday) to 6. */
  daysOfWeek?: number[];
}

/** Within 28 years every date, including 29 February, has fallen on every day of the week. */
export const DAYS_TO_LOOK_AT = 28 * 366;

/** Whether a UTC day matches the calendar. */
export function matchesDay({ daysOfMonth, months, daysOfWeek }: Calendar, day: Date): boolean {
  return (
    (daysOfMonth?.includes(day.getUTCDate()) ?? true) &&
    (months?.includes(day.getUTCMonth() + 1) ?? true) &&
    (daysOfWeek?.includes(day.getUTCDay()) ?? true)
  );
}
