/**
 * The decisions that an operation asks a person for: whether to approve its plan, and what to do about a step that
 * can't succeed. The person answers with the updates `approve`, `retry`, `rollback` and `abort`.
 */
import { condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { type Approval, APPROVAL_HOURS, type Decision, type OnFailure } from '../../domain/operations/common.ts';
import { failure } from './failure.ts';

export const approveUpdate = defineUpdate<string, [Approval]>('approve');
export const retryUpdate = defineUpdate<string>('retry');
export const rollbackUpdate = defineUpdate<string>('rollback');
export const abortUpdate = defineUpdate<string>('abort');

/** A person has decided that the operation must not continue. */
export class Abandoned extends Error {
  readonly decision: Exclude<Decision, 'retry'>;

  constructor(decision: Exclude<Decision, 'retry'>, problem: string) {
    super(problem);
    this.name = 'Abandoned';
    this.decision = decision;
  }
}

export interface Person {
  /** What the operation waits for, in words; null when it waits for nothing. */
  waitingFor(): string | null;
  /** The digest of the plan that waits for approval. */
  toApprove(): string | undefined;
  /**
   * Waits until the plan of this digest is approved, and returns who approved it.
   * @throws Abandoned when `abort` declines the plan; the failure `NotApproved` when nobody answers for hours
   */
  approve(cluster: string, digest: string): Promise<string>;
  /**
   * Waits until the failed step is to be tried again. One decision applies to all steps that have failed by then. Once
   * a person has decided that the operation must not continue, that applies to every later step as well.
   * @throws Abandoned
   */
  decide(problem: string): Promise<void>;
  /** Begins the rollback: its steps need decisions of their own, and it can't be rolled back itself. */
  beginRollback(): void;
  /** From now on a rollback is refused, with this reason. */
  passPointOfNoReturn(reason: string): void;
}

/**
 * Begins to listen for decisions. With `onFailure: rollback` the first failure starts the rollback without a person, as
 * long as a rollback is possible.
 */
export function listenToPerson(onFailure: OnFailure, onChange: () => void): Person {
  const problems = new Set<string>();
  let decision: Decision | undefined;
  let asked: { cluster: string; digest: string; answer?: { approved: boolean; by: string } } | undefined;
  let noWayBack: string | undefined;

  function answer(given: Decision): string {
    decision = given;
    return `${given}: ${[...problems].join('; ')}`;
  }
  function approveAsked({ by = 'somebody' }: Approval): string {
    if (asked) asked.answer = { approved: true, by };
    return `${asked?.digest} is approved by ${by}`;
  }
  // Temporal's user interface can send any value.
  function refuseOtherPlan(approval: Partial<Approval> | null): void {
    if (asked === undefined || asked.answer) throw failure('UnsafeState', 'no plan is waiting for an approval');
    if (approval?.digest === asked.digest) return;
    throw failure(
      'PlanChanged',
      `the plan is ${asked.digest}, the approval names ${JSON.stringify(approval?.digest ?? null)}, expected {"digest": "${asked.digest}"}; look at the plan again`,
    );
  }
  function abort(): string {
    if (asked === undefined || asked.answer) return answer('abort');
    asked.answer = { approved: false, by: 'abort' };
    return `abort: the plan ${asked.digest} is not approved`;
  }
  function refuseAbort(): void {
    if (asked === undefined || asked.answer) refuseUnlessWaiting();
  }
  function refuseUnlessWaiting(): void {
    if (problems.size === 0) throw failure('UnsafeState', 'no step is waiting for a decision');
    if (decision !== undefined) throw failure('UnsafeState', `a decision has already been made: ${decision}`);
  }
  function refuseRollback(): void {
    refuseUnlessWaiting();
    if (noWayBack !== undefined) throw failure('UnsafeState', `${noWayBack}; expected retry or abort`);
  }
  setHandler(retryUpdate, () => answer('retry'), { validator: refuseUnlessWaiting });
  setHandler(abortUpdate, abort, { validator: refuseAbort });
  setHandler(approveUpdate, approveAsked, { validator: refuseOtherPlan });
  setHandler(rollbackUpdate, () => answer('rollback'), { validator: refuseRollback });

  return {
    waitingFor() {
      if (asked && !asked.answer) {
        return `Approve the plan ${asked.digest}: salvor approve ${asked.cluster} ${asked.digest}; or decline it: salvor abort ${asked.cluster}`;
      }
      if (problems.size === 0 || decision !== undefined) return null;
      return `${[...problems].join('; ')}. Decide: retry${noWayBack === undefined ? ', rollback' : ''} or abort`;
    },
    toApprove: () => (asked?.answer ? undefined : asked?.digest),
    async approve(cluster, digest) {
      const question: NonNullable<typeof asked> = { cluster, digest };
      asked = question;
      onChange();
      await condition(() => question.answer !== undefined, `${APPROVAL_HOURS}h`);
      const given = question.answer;
      asked = undefined;
      onChange();
      if (given === undefined) {
        throw failure(
          'NotApproved',
          `nobody approved the plan ${digest} within ${APPROVAL_HOURS} hours; nothing was touched`,
        );
      }
      if (!given.approved) throw new Abandoned('abort', `the plan ${digest} was not approved`);
      return `${digest}, by ${given.by}`;
    },
    beginRollback() {
      noWayBack = 'the rollback itself is waiting';
      decision = undefined;
    },
    passPointOfNoReturn(reason) {
      noWayBack = reason;
    },
    async decide(problem) {
      if (onFailure === 'rollback' && noWayBack === undefined) decision = 'rollback';
      problems.add(problem);
      onChange();
      await condition(() => decision !== undefined);
      problems.delete(problem);
      const made = decision ?? 'abort';
      if (made === 'retry' && problems.size === 0) decision = undefined;
      onChange();
      if (made !== 'retry') throw new Abandoned(made, problem);
    },
  };
}
