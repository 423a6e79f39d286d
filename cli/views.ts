/** Progress on standard error: a live picture on a terminal, else a line for each change. */
import type { Progress } from '../domain/operations/progress.ts';
import type { StepRecord } from '../domain/operations/steps.ts';
import type { ProgressView } from './follow.ts';
import { lookOf, note } from './output.ts';
import { type Look, paint } from './render/format.ts';
import { renderProgress, renderStep } from './render/steps.ts';

/** The view that fits where standard error goes. */
export function createView(headline: string): Promise<ProgressView> {
  const live = process.stderr.isTTY && process.stdout.isTTY;
  return live
    ? createLiveView(headline)
    : Promise.resolve(createLineView(headline, note, () => lookOf(process.stderr)));
}

/** For operations that only look: nothing but what is wrong. */
export function createQuietView(): ProgressView {
  return { update() {}, note, end: async () => {} };
}

/** One line for each step that begins or ends. */
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

/** Steps have no number, and new ones come in between: the n-th of a name on a node is the same step. */
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

/** The steps as they are now, redrawn in place. */
async function createLiveView(headline: string): Promise<ProgressView> {
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2');
  const ended = Promise.withResolvers<'done' | 'failed' | 'left'>();
  let latest: Progress | undefined;
  let noted = '';
  const picture = () => {
    const look = lookOf(process.stderr);
    const title = paint(look, 'bold', headline);
    const steps = latest === undefined ? title : renderProgress(title, latest, { ...look, columns: look.columns - 4 });
    return noted === '' ? steps : `${steps}\n${paint(look, 'yellow', `! ${noted}`)}`;
  };
  const list = new Listr(
    {
      title: picture(),
      async task(_context, task) {
        const redraw = () => {
          task.title = picture();
        };
        const timer = setInterval(redraw, REDRAW_MS);
        const outcome = await ended.promise;
        clearInterval(timer);
        // The report follows and says it all.
        if (outcome === 'done' && latest !== undefined) latest = { ...latest, steps: [] };
        redraw();
        if (outcome === 'failed') throw new Error(headline);
        if (outcome === 'left') task.skip();
      },
    },
    {
      renderer: 'default',
      // Ctrl-C leaves the operation running: it is handled where the operation is followed.
      registerSignalListeners: false,
      exitOnError: false,
      rendererOptions: {
        // It draws on the first, and takes over both meanwhile: given one stream twice it would never give it back.
        logger: new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stdout) }),
        showErrorMessage: false,
        showSkipMessage: false,
        collapseSkips: false,
        suffixSkips: false,
      },
    },
  );
  const drawn = list.run();
  return {
    update(progress) {
      latest = progress;
      // Someone answers again.
      noted = '';
    },
    note(line) {
      noted = line;
    },
    async end(outcome) {
      ended.resolve(outcome);
      await drawn;
    },
  };
}
