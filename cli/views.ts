/** Progress on standard error: a live view on a terminal, otherwise a line for each change. */
import type { Progress } from '../domain/operations/progress.ts';
import { STEP_MARKS, type StepRecord } from '../domain/operations/steps.ts';
import type { ProgressView } from './follow.ts';
import { lookOf, note } from './output.ts';
import { type Look, paint } from './render/format.ts';
import { renderProgress, renderStep } from './render/steps.ts';

/** Chooses the view that fits standard error. */
export function createView(headline: string): Promise<ProgressView> {
  const live = process.stderr.isTTY && process.stdout.isTTY;
  return live
    ? createLiveView(headline)
    : Promise.resolve(createLineView(headline, note, () => lookOf(process.stderr)));
}

/** For operations that only read: shows nothing but problems. */
export function createQuietView(): ProgressView {
  return { update() {}, note, end: async () => {} };
}

/** Prints one line for each step that begins or ends. */
export function createLineView(headline: string, print: (line: string) => void, look: () => Look): ProgressView {
  const shown = new Map<string, StepRecord['state']>();
  print(headline);
  return {
    update({ steps }) {
      for (const [key, step] of keyed(steps)) {
        if (step.state === 'waiting' || shown.get(key) === step.state) continue;
        shown.set(key, step.state);
        const now = look();
        print(`${now.now.toISOString().slice(11, 19)}Z ${renderStep(step, now)}`);
      }
    },
    note: (line) => print(`! ${line}`),
    end: async () => {},
  };
}

/** Steps have no number, and new ones appear in between: the n-th step of a name on a node is the same step. */
function keyed(steps: StepRecord[]): [key: string, step: StepRecord][] {
  const counts = new Map<string, number>();
  return steps.map((step) => {
    const name = JSON.stringify([step.name, step.node]);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return [`${name} ${count}`, step];
  });
}

const REDRAW_MS = 500;

const END_MARKS = { done: '✔', failed: '✖', left: '↓' } as const;
const END_STYLES = { done: 'green', failed: 'red', left: 'yellow' } as const;

/** Redraws the current steps in place. */
async function createLiveView(headline: string): Promise<ProgressView> {
  const { createLogUpdate } = await import('log-update');
  const draw = createLogUpdate(process.stderr);
  let latest: Progress | undefined;
  let noted = '';
  const picture = (look: Look, mark: string) => {
    const title = paint(look, 'bold', headline);
    const steps = latest === undefined ? title : renderProgress(title, latest, { ...look, columns: look.columns - 2 });
    const lines = noted === '' ? steps : `${steps}\n${paint(look, 'yellow', `! ${noted}`)}`;
    return `${mark} ${lines.replaceAll('\n', '\n  ')}`;
  };
  const redraw = () => {
    const look = lookOf(process.stderr);
    draw(picture(look, paint(look, 'cyan', STEP_MARKS.running)));
  };
  redraw();
  const timer = setInterval(redraw, REDRAW_MS);
  return {
    update(progress) {
      latest = progress;
      // A worker or Temporal answers again.
      noted = '';
    },
    note(line) {
      noted = line;
    },
    async end(outcome) {
      clearInterval(timer);
      // The report follows and says everything.
      if (outcome === 'done' && latest !== undefined) latest = { ...latest, steps: [] };
      const look = lookOf(process.stderr);
      draw.persist(picture(look, paint(look, END_STYLES[outcome], END_MARKS[outcome])));
      draw.done();
    },
  };
}
