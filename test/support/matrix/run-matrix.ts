/** Runs a restore repeatedly, kills one thing at one point each time, and checks how the restore ends. */
import type { WorkflowHandle } from '@temporalio/client';
import type { Progress } from '../../../domain/operations/progress.ts';
import type { RestoreReport } from '../../../domain/operations/restore.ts';
import { failureMessageIn } from '../failures.ts';
import { until } from '../until.ts';
import { type ChildWorker, startChildWorker, type WorkerPlace } from './child-worker.ts';
import type { Cell, MeasuredCall } from './points.ts';

/** `untouched`: the restore failed or was declined before the first component was stopped. */
export type Outcome = 'restored' | 'rolled-back' | 'untouched';

/**
 * The targets that the matrix itself handles: it terminates the `workflow`, and a new one takes over; it makes `the
 * step` fail, so that it can't succeed.
 */
type OwnTarget = 'worker' | 'workflow' | 'the step';

export interface Arena<Target extends string> extends WorkerPlace {
  cluster: string;
  /** Brings the cluster to a state that differs from the backup's; called before every restore. */
  unsettle: () => Promise<void>;
  /** Starts a restore from the backup that all of them use. */
  startRestore: (resume?: 'forward') => Promise<WorkflowHandle>;
  kill: (target: Exclude<Target, OwnTarget>, place: string | null) => Promise<void>;
  /** Does what an operator would do afterwards for a killed process that nothing restarts. */
  tidy: () => Promise<void>;
  /** Throws unless the whole cluster is healthy and in the state that belongs to this outcome. */
  expectState: (outcome: Outcome) => Promise<void>;
}

export interface CellResult<Target extends string> extends Cell<Target> {
  /** Undefined if the restore ended in none of these ways. */
  outcome: Outcome | undefined;
  seconds: number;
  /** What is wrong, or how the restore came to its end. */
  note: string;
}

const CELL_MS = 15 * 60_000;
/** How often a waiting rollback is told to retry before it counts as stuck. */
const RETRIES = 5;

/** Runs an undisturbed restore, which shows all activities in order and proves that it succeeds at all. */
export async function baseline<Target extends string>(arena: Arena<Target>): Promise<MeasuredCall[]> {
  await arena.unsettle();
  const worker = await startChildWorker(arena);
  try {
    const handle = await arena.startRestore();
    const { outcome, problem } = (await handle.result()) as RestoreReport;
    if (outcome !== 'restored') throw new Error(`an undisturbed restore is ${outcome}: ${problem}`);
    await arena.expectState('restored');
    return worker.calls;
  } finally {
    await worker.kill();
  }
}

/** Runs one cell. It never throws; the result says what is wrong. */
export async function runCell<Target extends string>(
  arena: Arena<Target>,
  cell: Cell<Target>,
): Promise<CellResult<Target>> {
  const beganAt = performance.now();
  const workers: ChildWorker[] = [];
  const result = (outcome: Outcome | undefined, note: string) => ({
    ...cell,
    outcome,
    seconds: Math.round((performance.now() - beganAt) / 100) / 10,
    note,
  });
  try {
    await arena.unsettle();
    const { outcome, note } = await hit(arena, cell, workers);
    await arena.tidy();
    await arena.expectState(outcome);
    return result(outcome, note);
  } catch (error) {
    await arena.tidy().catch(() => undefined);
    return result(undefined, failureMessageIn(error));
  } finally {
    await Promise.all(workers.map(async (worker) => await worker.kill()));
  }
}

async function hit<Target extends string>(
  arena: Arena<Target>,
  { point, target }: Cell<Target>,
  workers: ChildWorker[],
): Promise<{ outcome: Outcome; note: string }> {
  const worker = await startChildWorker(arena, point);
  workers.push(worker);
  const handle = await arena.startRestore();
  const ended = handle.result().catch(() => undefined);
  const seen = await Promise.race([worker.reached.then(() => 'reached' as const), ended.then(() => 'ended' as const)]);
  if (seen === 'ended') throw new Error(`the restore ended before ${point.activity} was reached`);

  if (target === 'worker') {
    await worker.kill();
    workers.push(await startChildWorker(arena));
    return await endOf(handle);
  }
  if (target === 'workflow') {
    await handle.terminate('the kill matrix');
    worker.goOn();
    const end = await takeOver(arena);
    // A held activity continues without its workflow; once the journals close, everything else is done.
    const isDone = point.activity === 'closeJournal' || point.activity === 'lookAfter';
    return end.outcome === 'untouched' && isDone ? { ...end, outcome: 'restored' } : end;
  }
  if (target === 'the step') {
    worker.fail();
    const end = await endOf(handle);
    // Its report says that a journal is still open, and that this operation closes it.
    if (point.activity !== 'closeJournal') return end;
    const closed = await takeOver(arena);
    return closed.outcome === 'untouched' ? end : closed;
  }
  await arena.kill(target as Exclude<Target, OwnTarget>, point.place);
  worker.goOn();
  return await endOf(handle);
}

/**
 * Continues with a new workflow after one was terminated. If nothing was touched, there is nothing to continue, and the
 * note says so.
 */
async function takeOver<Target extends string>(arena: Arena<Target>): Promise<{ outcome: Outcome; note: string }> {
  const end = await endOf(await arena.startRestore('forward'));
  return end.outcome === 'untouched' ? end : { ...end, note: 'by a new operation' };
}

/** Waits for the end; if a rollback waits for a person, it is told to retry, as a person would do. */
async function endOf(handle: WorkflowHandle): Promise<{ outcome: Outcome; note: string }> {
  const notes: string[] = [];
  return await until(
    'the restore ends',
    async () => {
      // Temporal itself may have been killed.
      const description = await handle.describe().catch(() => undefined);
      if (description === undefined) return undefined;
      if (description.status.name === 'RUNNING') {
        const progress = await handle.query<Progress>('progress').catch(() => undefined);
        const waitingFor = progress?.waitingFor ?? null;
        if (waitingFor !== null) {
          notes.push(waitingFor);
          if (notes.length > RETRIES) throw new Error(`it waits for a person: ${waitingFor}`);
          await handle.executeUpdate('retry').catch(() => undefined);
        }
        return undefined;
      }
      return ending(handle, notes);
    },
    CELL_MS,
  );
}

async function ending(handle: WorkflowHandle, notes: string[]): Promise<{ outcome: Outcome; note: string }> {
  const retried = notes.length === 0 ? '' : `retried: ${notes.join('; ')}`;
  let report: RestoreReport;
  try {
    report = (await handle.result()) as RestoreReport;
  } catch (error) {
    const touched = (await handle.query<Progress>('progress')).steps.some(
      ({ name, state }) => name.startsWith('Stop ') && state !== 'waiting',
    );
    if (touched) throw error;
    return { outcome: 'untouched', note: failureMessageIn(error) };
  }
  const { outcome, problem, steps } = report;
  // One that takes over from a restore that had only prepared cleans up, and that is all.
  const isUntouched = outcome === 'aborted' && steps.some(({ name }) => name === 'Remove what was staged');
  if (isUntouched) return { outcome: 'untouched', note: problem ?? '' };
  if (outcome === 'aborted') throw new Error(`aborted: ${problem}`);
  return { outcome, note: [problem ?? '', retried].filter(Boolean).join('; ') };
}
