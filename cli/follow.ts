/** Follows an operation until it reports or the person leaves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TASK_QUEUE } from '../domain/operations/common.ts';
import type { Progress } from '../domain/operations/progress.ts';
import type { Operation, ReportOf } from '../domain/operations/index.ts';
import type { OperationHandle } from '../client/handle.ts';
import type { SalvorClient } from '../client/salvor.ts';
import { isPolling } from '../client/workers.ts';

/** Where progress is shown. */
export interface ProgressView {
  update: (progress: Progress) => void;
  /** Shows something that the person should know besides the steps. */
  note: (line: string) => void;
  /** Ends the view and restores the terminal. */
  end: (outcome: 'done' | 'failed' | 'left') => Promise<void>;
}

const POLL_MS = 500;
const SILENCE_MS = 10_000;
// The wait takes this long only if no worker answers.
const LAST_LOOK_MS = 10_000;

/**
 * Shows progress until the operation ends.
 * @returns the report, or undefined if `leave` was raised; the operation then continues
 * @throws SalvorOperationError when the operation failed
 */
export async function follow<O extends Operation>(
  client: SalvorClient,
  handle: OperationHandle<O>,
  view: ProgressView,
  leave: AbortSignal,
  onWaiting: (waitingFor: string, toApprove?: string) => void = () => {},
): Promise<ReportOf<O> | undefined> {
  const ended = new AbortController();
  const watching = watch(client, handle, view, AbortSignal.any([leave, ended.signal]), onWaiting);
  const stopWatching = async () => {
    ended.abort();
    await watching;
  };
  try {
    const report = await handle.result(leave);
    await stopWatching();
    await showLastSteps(handle, view);
    await view.end('done');
    return report;
  } catch (error) {
    await stopWatching();
    if (leave.aborted) {
      await view.end('left');
      return undefined;
    }
    await showLastSteps(handle, view);
    await view.end('failed');
    throw error;
  }
}

async function watch(
  client: SalvorClient,
  handle: OperationHandle,
  view: ProgressView,
  signal: AbortSignal,
  onWaiting: (waitingFor: string, toApprove?: string) => void,
): Promise<void> {
  let waitingFor: string | null = null;
  let heardAtMs = Date.now();
  let told = '';
  while (!signal.aborted) {
    const progress = await handle.progress(signal);
    if (progress !== undefined) {
      heardAtMs = Date.now();
      told = '';
      view.update(progress);
      if (progress.waitingFor !== waitingFor && progress.waitingFor !== null) {
        view.note(`Waiting for a person. ${progress.waitingFor}`);
        onWaiting(progress.waitingFor, progress.toApprove);
      }
      waitingFor = progress.waitingFor;
    } else if (!signal.aborted && Date.now() - heardAtMs > SILENCE_MS) {
      const silence = await explainSilence(client);
      if (silence !== told && silence !== '') view.note(silence);
      told = silence;
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

/** Explains why the operation reports nothing; empty if a worker polls, so all is well. */
async function explainSilence(client: SalvorClient): Promise<string> {
  const { address, namespace } = client.place;
  try {
    const polledAt = await client.lastWorkerPoll();
    if (isPolling(polledAt, new Date())) return '';
    const command =
      client.taskQueue === TASK_QUEUE ? 'salvor worker' : `salvor worker --task-queue ${client.taskQueue}`;
    return `No worker polls the task queue "${client.taskQueue}" in namespace "${namespace}" at ${address}. The operation is waiting; start a worker: ${command}`;
  } catch {
    return `Temporal does not answer at ${address}. Its workers continue their work; asking again…`;
  }
}

async function showLastSteps(handle: OperationHandle, view: ProgressView): Promise<void> {
  const progress = await handle.progress(AbortSignal.timeout(LAST_LOOK_MS));
  if (progress !== undefined) view.update(progress);
}
