/** Starts an operation, follows it, prints its report and gives the exit status: all that most commands do. */
import type { Operation } from '../../domain/operations.ts';
import type { OperationHandle } from '../handle.ts';
import type { SalvorClient } from '../salvor.ts';
import type { InputOf, ReportOf } from '../types.ts';
import { type CommonOptions, untilInterrupted, withClient } from './common.ts';
import { follow } from './follow.ts';
import { DETACHED, note, printResult, WAITING } from './output.ts';
import { exitStatusOf, renderReport } from './reports.ts';
import { createQuietView, createView } from './views.ts';

/** Makes the report that is shown from the operation's own. */
type Completion<O extends Operation> = (
  client: SalvorClient,
  report: ReportOf<O>,
  leave: AbortSignal,
) => Promise<ReportOf<O>>;

/**
 * @param headline what is done, for the person who waits; without one only faults are shown
 * @param complete what is added to the report; without it, nothing
 */
export async function operate<O extends Operation>(
  options: CommonOptions,
  operation: O,
  input: InputOf<O>,
  headline?: string,
  complete?: Completion<O>,
): Promise<number> {
  return withClient(options, async (client) => {
    const handle = await client.start(operation, input, headline === undefined ? {} : { summary: headline });
    if (options.detach) {
      const { workflowId, runId } = handle;
      printResult(options.output, { workflowId, runId }, () => `started; follow it: salvor show ${workflowId}`);
      return 0;
    }
    return followToEnd(options, client, operation, handle, headline, complete);
  });
}

/** Follows an operation until it ends or Ctrl-C; the operation itself is never touched. */
export async function followToEnd<O extends Operation>(
  options: CommonOptions,
  client: SalvorClient,
  operation: O,
  handle: OperationHandle<O>,
  headline?: string,
  complete?: Completion<O>,
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
    const whole = report && complete ? await unlessLeft(leave, complete(client, report, leave)) : report;
    if (whole === undefined) return detached(options, handle.workflowId);
    printResult(options.output, whole, (look) => renderReport(operation, whole, look));
    return exitStatusOf(operation, whole);
  });
}

async function unlessLeft<T>(leave: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (leave.aborted) return undefined;
    throw error;
  }
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
