/** Whether the clock that decides what is too old agrees with the others at hand. Pure. */

/** Slower answers and tired clocks stay within it; a wrong time zone, year or battery doesn't. */
export const CLOCKS_APART_MS = 10 * 60_000;

export interface OtherClock {
  /** As in "the clock of <Temporal>". */
  of: string;
  at: Date;
}

/** Whether two clocks tell different times. */
export function areApart(a: Date, b: Date): boolean {
  return Math.abs(a.getTime() - b.getTime()) > CLOCKS_APART_MS;
}

/** Why nothing may be removed by the worker's clock; undefined when the others agree with it. */
export function whyClocksDisagree(worker: Date, others: readonly OtherClock[]): string | undefined {
  const wrong = others.filter(({ at }) => areApart(worker, at));
  if (wrong.length === 0) return undefined;
  const seen = wrong.map(({ of, at }) => `that of ${of} says ${at.toISOString()}`).join(', ');
  return `the clock of this worker says ${worker.toISOString()}, and ${seen}: nothing is removed until they agree within 10 minutes. Set the wrong one (timedatectl)`;
}

/** A backup of a time that is still to come: the clock of the worker that took it was wrong, or this one is. */
export function isInFuture(takenAt: string, now: Date): boolean {
  return Date.parse(takenAt) - now.getTime() > CLOCKS_APART_MS;
}
