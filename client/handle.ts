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

/** The operation behind a workflow ID. It lives in Temporal: ending this process does not end it. */
export class OperationHandle<O extends Operation = Operation> {
  readonly workflowId: string;
  /** The run that was started; undefined for an operation that was looked up. */
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
   * @throws SalvorOperationError `UnsafeState` when it doesn't wait, or not for this answer
   */
  async decide(decision: Decision): Promise<string> {
    try {
      return await this.#client.workflow.getHandle(this.workflowId, this.runId).executeUpdate<string, []>(decision);
    } catch (error) {
      throw toOperationError(error, this.#place);
    }
  }

  /** The plan of a restore, once it is drawn; undefined before that, and of other operations. */
  async plan(): Promise<RestorePlan | undefined> {
    try {
      return await this.#client.workflow.getHandle(this.workflowId, this.runId).query<RestorePlan>('plan');
    } catch (error) {
      if (error instanceof QueryNotRegisteredError) return undefined;
      throw toOperationError(error, this.#place, this.workflowId);
    }
  }

  /**
   * Approves the plan that a restore waits with.
   * @param digest of the plan that was read
   * @throws SalvorOperationError `PlanChanged` when it is another one, `UnsafeState` when none waits
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
   * Waits for the report. While Temporal can't be reached it asks again, since the operation goes on meanwhile.
   * @param signal ends the waiting, not the operation; then the signal's reason is thrown
   * @throws SalvorOperationError when the operation failed
   */
  async result(signal: AbortSignal = new AbortController().signal): Promise<ReportOf<O>> {
    const handle = this.#client.workflow.getHandle(this.workflowId, this.runId);
    for (;;) {
      signal.throwIfAborted();
      try {
        // The workflow of the operation gives this report.
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

  /** What the operation does now; undefined when no worker answers in time. */
  async progress(signal: AbortSignal = new AbortController().signal): Promise<Progress | undefined> {
    const handle = this.#client.workflow.getHandle(this.workflowId, this.runId);
    const query = () => handle.query<Progress>('progress');
    try {
      return await this.#client.withAbortSignal(signal, () =>
        this.#client.withDeadline(Date.now() + QUERY_DEADLINE_MS, query),
      );
    } catch {
      // Before its first step, without a worker, or with Temporal away there is nothing to tell; `result` tells of the
      // faults.
      return undefined;
    }
  }

  /** Asks the operation to stop. One that changes a cluster stops where it is safe. */
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
