/** Starts an operation, follows it, prints its report and returns the exit status: most commands do only this. */
import type { Operation, InputOf, ReportOf } from '../domain/operations/index.ts';
import type { OperationHandle } from '../client/handle.ts';
import type { SalvorClient } from '../client/salvor.ts';
import { type CommonOptions, untilInterrupted, withClient } from './common.ts';
import { follow } from './follow.ts';
import { DETACHED, note, printResult, WAITING } from './output.ts';
import { exitStatusOf, renderReport } from './reports.ts';
import { createQuietView, createView } from './views.ts';

/** Turns the operation's own report into the report that is shown. */
type Completion<O extends Operation> = (
  client: SalvorClient,
  report: ReportOf<O>,
  leave: AbortSignal,
) => Promise<ReportOf<O>>;

/**
 * Starts an operation and follows it to its end.
 * @param headline says what is being done, for the person who waits; without it, only faults are shown
 * @param complete adds to the report; without it, the report is shown as it is
 * @returns the exit status
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

/** Follows an operation until it ends or Ctrl-C is pressed. Only a person's approval affects the operation itself. */
export async function followToEnd<O extends Operation>(
  options: CommonOptions,
  client: SalvorClient,
  operation: O,
  handle: OperationHandle<O>,
  headline?: string,
  complete?: Completion<O>,
): Promise<number> {
  for (;;) {
    const followed = await followOnce(options, client, handle, headline, complete);
    if ('report' in followed) {
      const { report } = followed;
      printResult(options.output, report, (look) => renderReport(operation, report, look));
      return exitStatusOf(operation, report);
    }
    if (followed.waiting === undefined) return detached(options, handle.workflowId);
    const { waitingFor, toApprove } = followed.waiting;
    if (toApprove === undefined) return left(options, handle.workflowId, waitingFor);
    if (!(await isApproved(options, handle, toApprove))) return await leftToApprove(options, handle, waitingFor);
  }
}

type Followed<O extends Operation> =
  { report: ReportOf<O> } | { waiting: { waitingFor: string; toApprove?: string } | undefined };

async function followOnce<O extends Operation>(
  options: CommonOptions,
  client: SalvorClient,
  handle: OperationHandle<O>,
  headline: string | undefined,
  complete: Completion<O> | undefined,
): Promise<Followed<O>> {
  return untilInterrupted(async (leave) => {
    const view = headline === undefined ? createQuietView() : await createView(`${headline}  [${handle.workflowId}]`);
    const waits = new AbortController();
    let waiting: { waitingFor: string; toApprove?: string } | undefined;
    const signal = AbortSignal.any([leave, waits.signal]);
    const report = await follow(client, handle, view, signal, (waitingFor, toApprove) => {
      // A person decides in another terminal and sees the operation continue here. A plan is approved here, and a
      // program gets its answer at once.
      if (toApprove === undefined && options.output === 'text' && process.stderr.isTTY) return;
      waiting = { waitingFor, ...(toApprove !== undefined && { toApprove }) };
      waits.abort();
    });
    const whole = report && complete ? await unlessLeft(leave, complete(client, report, leave)) : report;
    return whole === undefined ? { waiting } : { report: whole };
  });
}

async function isApproved(options: CommonOptions, handle: OperationHandle, digest: string): Promise<boolean> {
  const { askApproval, isSomebodyThere } = await import('./approval.ts');
  if (!isSomebodyThere(options.output)) return false;
  const plan = await handle.plan();
  if (plan?.digest !== digest || !(await askApproval(plan))) return false;
  await handle.approve(digest);
  return true;
}

async function leftToApprove({ output }: CommonOptions, handle: OperationHandle, waitingFor: string): Promise<number> {
  const { workflowId } = handle;
  const plan = await handle.plan();
  const { renderPlan } = await import('./render/plan.ts');
  printResult(output, { workflowId, waitingFor, plan: plan ?? null }, (look) =>
    [...(plan ? [renderPlan(plan, look), ''] : []), `${waitingFor}\nTo come back: salvor show ${workflowId}`].join(
      '\n',
    ),
  );
  return WAITING;
}

async function unlessLeft<T>(leave: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (leave.aborted) return undefined;
    throw error;
  }
}

/** The operation waits for a person, and there is no terminal to ask on. */
function left({ output }: CommonOptions, workflowId: string, waitingFor: string): number {
  printResult(output, { workflowId, waitingFor }, () => `${waitingFor}\nTo come back: salvor show ${workflowId}`);
  return WAITING;
}

function detached({ output }: CommonOptions, workflowId: string): number {
  if (output === 'json') printResult('json', { detached: true, workflowId }, () => '');
  note(`Detached; the operation continues. To come back: salvor show ${workflowId}`);
  return DETACHED;
}
