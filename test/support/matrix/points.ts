/** Where a restore is hit: before, in and after every activity that it asks for. */

export const PHASES = ['before', 'in', 'after'] as const;
export type Phase = (typeof PHASES)[number];

/** One call of an activity, as an undisturbed restore makes it. */
export interface Call {
  activity: string;
  /** The node or store that it is about; null for the cluster as a whole. */
  place: string | null;
}

/** What was called, and how long it took. */
export interface MeasuredCall extends Call {
  durationMs: number;
}

export interface Point extends Call {
  phase: Phase;
  /** How long after the activity's beginning it is hit: in its middle. */
  delayMs: number;
}

/** What is killed, and where. */
export interface Cell<Target extends string> {
  point: Point;
  target: Target;
}

/**
 * Every activity of a restore once, on one node of those that it is done on: a different one for each, so that all take
 * part, whichever was the quickest. What is done on one node only is hit wherever that is: Salvor chooses it, as the
 * member that it reads.
 * @param calls of an undisturbed restore
 */
export function pointsOf(calls: readonly MeasuredCall[]): Point[] {
  const byActivity = Map.groupBy(calls, ({ activity }) => activity);
  return [...byActivity.values()].flatMap((same, index) => {
    const call = same.toSorted((a, b) => (a.place ?? '').localeCompare(b.place ?? ''))[index % same.length];
    if (call === undefined) return [];
    const { activity, durationMs } = call;
    const place = same.length === 1 ? null : call.place;
    return PHASES.map((phase) => ({ activity, place, phase, delayMs: phase === 'in' ? durationMs / 2 : 0 }));
  });
}

/** Every target at every point; a step fails before it has done anything, or after all. */
export function everyCell<Target extends string>(points: readonly Point[], targets: readonly Target[]): Cell<Target>[] {
  const cells = points.flatMap((point) => targets.map((target) => ({ point, target })));
  return cells.filter(({ point, target }) => target !== 'the step' || point.phase !== 'in');
}

/** Some of the cells, spread over all points and targets: the same ones every time. */
export function sampleOf<Target extends string>(cells: readonly Cell<Target>[], count: number): Cell<Target>[] {
  const stride = Math.max(1, cells.length / count);
  // From the middle of each stretch, and one further each time, or all would have the same target.
  const chosen = Array.from({ length: Math.min(count, cells.length) }, (_, index) =>
    stride === 1 ? index : (Math.floor((index + 0.5) * stride) + index) % cells.length,
  );
  return [...new Set(chosen)].toSorted((a, b) => a - b).flatMap((index) => cells[index] ?? []);
}
