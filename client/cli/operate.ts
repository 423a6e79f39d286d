/** Starts an operation, follows it, prints its report and gives the exit status: all that most commands do. */
import type { Operation } from '../../domain/operations.ts';
import type { OperationHandle } from '../handle.ts';
import type { SalvorClient } from '../salvor.ts';
import type { InputOf } from '../types.ts';
import { type CommonOptions, untilInterrupted, withClient } from './common.ts';
import { follow } from './follow.ts';
import { DETACHED, note, printResult, WAITING } from './output.ts';
import { exitStatusOf, renderReport } from './reports.ts';
import { createQuietView, createView } from './views.ts';

/** @param headline what is done, for the person who waits; without one only faults are shown */
export async function operate<O extends Operation>(
  options: CommonOptions,
  operation: O,
  input: InputOf<O>,
  headline?: string,
): Promise<number> {
  return withClient(options, async (client) => {
    const handle = await client.start(operation, input, headline === undefined ? {} : { summary: headline });
    if (options.detach) {
      const { workflowId, runId } = handle;
      printResult(options.output, { workflowId, runId }, () => `started; follow it: salvor show ${workflowId}`);
      return 0;
    }
    return followToEnd(options, client, operation, handle, headline);
  });
}

/** Follows an operation until it ends or Ctrl-C; the operation itself is never touched. */
export async function followToEnd<O extends Operation>(
  options: CommonOptions,
  client: SalvorClient,
  operation: O,
  handle: OperationHandle<O>,
  headline?: string,
): Promise<number> {
  return untilInterrupted(async (leave) => {
    const view = headline === undefined ? createQuietView() : await createView(`${headline}  [${handle.workflowId}]`);
    const waiting = new AbortController();
    const report = await follow(client, handle, view, AbortSignal.any([leave, waiting.signal]), (waitingFor) => {
      // A person at a terminal decides in another one and sees it go on; a program is told at once.
      if (options.output === 'json' || !process.stderr.isTTY) waiting.abort(waitingFor);
    });
    if (report === undefined && waiting.signal.aborted)
      return left(options, handle.workflowId, String(waiting.signal.reason));
    if (report === undefined) return detached(options, handle.workflowId);
    printResult(options.output, report, (look) => renderReport(operation, report, look));
    return exitStatusOf(operation, report);
  });
}

/** The operation waits for a person, and nobody is here to be asked. */
function left({ output }: CommonOptions, workflowId: string, waitingFor: string): number {
  printResult(output, { workflowId, waitingFor }, () => `${waitingFor}\nCome back: salvor show ${workflowId}`);
  return WAITING;
}

function detached({ output }: CommonOptions, workflowId: string): number {
  if (output === 'json') printResult('json', { detached: true, workflowId }, () => '');
  note(`Left; the operation goes on. Come back: salvor show ${workflowId}`);
  return DETACHED;
}
