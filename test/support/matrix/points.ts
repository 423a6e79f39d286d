/** The points at which a restore is hit: before, during and after every activity that it calls. */

export const PHASES = ['before', 'in', 'after'] as const;
export type Phase = (typeof PHASES)[number];

/** One call of an activity, as an undisturbed restore makes it. */
export interface Call {
  activity: string;
  /** The node or store that the call is about; null for the whole cluster. */
  place: string | null;
}

/** What was called, and how long it took. */
export interface MeasuredCall extends Call {
  durationMs: number;
}

export interface Point extends Call {
  phase: Phase;
  /** How long after its start the activity is hit: half of its duration. */
  delayMs: number;
}

/** What is killed, and where. */
export interface Cell<Target extends string> {
  point: Point;
  target: Target;
}

/**
 * Takes every activity of a restore once, on one of its nodes. The nodes take turns, so that all take part whichever
 * was the quickest. An activity that runs on a single node is hit wherever that is, because Salvor chooses the node,
 * such as the member that it reads.
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

/** Combines every target with every point; a step fails before it has done anything, or after everything. */
export function everyCell<Target extends string>(points: readonly Point[], targets: readonly Target[]): Cell<Target>[] {
  const cells = points.flatMap((point) => targets.map((target) => ({ point, target })));
  return cells.filter(({ point, target }) => target !== 'the step' || point.phase !== 'in');
}

/** Samples the cells evenly over all points and targets; the sample is always the same. */
export function sampleOf<Target extends string>(cells: readonly Cell<Target>[], count: number): Cell<Target>[] {
  const stride = Math.max(1, cells.length / count);
  // Take the middle of each stretch, shifted by one more each time; otherwise all would have the same target.
  const chosen = Array.from({ length: Math.min(count, cells.length) }, (_, index) =>
    stride === 1 ? index : (Math.floor((index + 0.5) * stride) + index) % cells.length,
  );
  return [...new Set(chosen)].toSorted((a, b) => a - b).flatMap((index) => cells[index] ?? []);
}
