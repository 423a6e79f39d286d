/** One operation that was started, now or earlier. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  isGrpcCancelledError,
  QueryNotRegisteredError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import type { Approval, Decision } from '../domain/operations/common.ts';
import type { Progress } from '../domain/operations/progress.ts';
import type { Operation, ReportOf } from '../domain/operations/index.ts';
import type { RestorePlan } from '../domain/restore/plan.ts';
import { asking, isUnreachable, type TemporalPlace, toOperationError } from './errors.ts';
import { whoAsks } from './who.ts';

const QUERY_DEADLINE_MS = 5_000;
const PAUSE_MS = 1_000;

/** The operation behind a workflow ID. It runs in Temporal, so it survives the end of this process. */
export class OperationHandle<O extends Operation = Operation> {
  readonly workflowId: string;
  /** The run that was started; undefined if the operation was looked up. */
  readonly runId: string | undefined;
  readonly #client: Client;
  readonly #place: TemporalPlace;

  constructor(client: Client, place: TemporalPlace, workflowId: string, runId?: string) {
    this.#client = client;
    this.#place = place;
    this.workflowId = workflowId;
    this.runId = runId;
  }

  /**
   * Answers an operation that waits for a person.
   * @returns what the answer applies to
   * @throws SalvorOperationError `UnsafeState` if it isn't waiting, or doesn't accept this answer
   */
  async decide(decision: Decision): Promise<string> {
    try {
      return await this.#client.workflow.getHandle(this.workflowId, this.runId).executeUpdate<string, []>(decision);
    } catch (error) {
      throw toOperationError(error, this.#place);
    }
  }

  /** The plan of a restore once it exists; undefined before that, and for other operations. */
  async plan(): Promise<RestorePlan | undefined> {
    try {
      return await this.#client.workflow.getHandle(this.workflowId, this.runId).query<RestorePlan>('plan');
    } catch (error) {
      if (error instanceof QueryNotRegisteredError) return undefined;
      throw toOperationError(error, this.#place, this.workflowId);
    }
  }

  /**
   * Approves the plan of a waiting restore.
   * @param digest of the plan that was read
   * @throws SalvorOperationError `PlanChanged` if the digest is another plan's, `UnsafeState` if no plan waits
   */
  async approve(digest: string): Promise<string> {
    try {
      return await this.#client.workflow
        .getHandle(this.workflowId, this.runId)
        .executeUpdate<string, [Approval]>('approve', { args: [{ digest, by: whoAsks() }] });
    } catch (error) {
      throw toOperationError(error, this.#place);
    }
  }

  /**
   * Waits for the report. If Temporal can't be reached, it asks again, since the operation continues meanwhile.
   * @param signal ends the waiting, not the operation; then the signal's reason is thrown
   * @throws SalvorOperationError if the operation failed
   */
  async result(signal: AbortSignal = new AbortController().signal): Promise<ReportOf<O>> {
    const handle = this.#client.workflow.getHandle(this.workflowId, this.runId);
    for (;;) {
      signal.throwIfAborted();
      try {
        // The operation's workflow returns this report.
        return (await this.#client.withAbortSignal(signal, () => handle.result())) as ReportOf<O>;
      } catch (error) {
        signal.throwIfAborted();
        if (!isUnreachable(error) && !isGrpcCancelledError(error)) {
          throw toOperationError(error, this.#place, this.workflowId);
        }
      }
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }

  /** What the operation is doing now; undefined if no worker answers in time. */
  async progress(signal: AbortSignal = new AbortController().signal): Promise<Progress | undefined> {
    const handle = this.#client.workflow.getHandle(this.workflowId, this.runId);
    const query = () => handle.query<Progress>('progress');
    try {
      return await this.#client.withAbortSignal(signal, () =>
        this.#client.withDeadline(Date.now() + QUERY_DEADLINE_MS, query),
      );
    } catch {
      // There is nothing to report before the first step, without a worker, or without Temporal; `result` reports
      // faults.
      return undefined;
    }
  }

  /** Asks the operation to stop. An operation that changes a cluster stops at a safe point. */
  async cancel(): Promise<void> {
    await this.#ask(() => this.#client.workflow.getHandle(this.workflowId, this.runId).cancel());
  }

  /** What Temporal knows of the workflow. */
  async describe(): Promise<WorkflowExecutionDescription> {
    return this.#ask(() => this.#client.workflow.getHandle(this.workflowId, this.runId).describe());
  }

  #ask<T>(ask: () => Promise<T>): Promise<T> {
    return asking(this.#place, ask, this.workflowId);
  }
}
