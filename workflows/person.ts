/** A step that can't succeed waits for a person: the updates `retry`, `rollback` and `abort`. */
import { condition, defineUpdate, setHandler } from '@temporalio/workflow';
import type { Decision, OnFailure } from '../domain/operations.ts';
import { failure } from './failure.ts';

export const retryUpdate = defineUpdate<string>('retry');
export const rollbackUpdate = defineUpdate<string>('rollback');
export const abortUpdate = defineUpdate<string>('abort');

/** A person has decided that the operation doesn't go on. */
export class Abandoned extends Error {
  readonly decision: Exclude<Decision, 'retry'>;

  constructor(decision: Exclude<Decision, 'retry'>, problem: string) {
    super(problem);
    this.name = 'Abandoned';
    this.decision = decision;
  }
}

export interface Person {
  /** What is waited for, in words; null when nothing is. */
  waitingFor(): string | null;
  /**
   * Returns when the failed step is to be tried again. Steps that fail at once are decided together, and once it is decided that the
   * operation doesn't go on, that holds for every further one.
   * @throws Abandoned
   */
  decide(problem: string): Promise<void>;
  /** The rollback begins: its own steps are decided anew, and there is nothing further to roll back to. */
  beginRollback(): void;
  /** From here on there is no way back, for a reason that whoever asks for a rollback is told. */
  passPointOfNoReturn(reason: string): void;
}

/** Begins to listen. With `onFailure: rollback` the first failure is answered by itself, as long as there is something to roll back to. */
export function listenToPerson(onFailure: OnFailure, onChange: () => void): Person {
  const problems = new Set<string>();
  let decision: Decision | undefined;
  let noWayBack: string | undefined;

  function answer(given: Decision): string {
    decision = given;
    return `${given}: ${[...problems].join('; ')}`;
  }
  function refuseUnlessWaiting(): void {
    if (problems.size === 0) throw failure('UnsafeState', 'no step waits for a decision');
    if (decision !== undefined) throw failure('UnsafeState', `the decision was made already: ${decision}`);
  }
  function refuseRollback(): void {
    refuseUnlessWaiting();
    if (noWayBack !== undefined) throw failure('UnsafeState', `${noWayBack}; expected retry or abort`);
  }
  setHandler(retryUpdate, () => answer('retry'), { validator: refuseUnlessWaiting });
  setHandler(abortUpdate, () => answer('abort'), { validator: refuseUnlessWaiting });
  setHandler(rollbackUpdate, () => answer('rollback'), { validator: refuseRollback });

  return {
    waitingFor() {
      if (problems.size === 0 || decision !== undefined) return null;
      return `${[...problems].join('; ')}. Decide: retry${noWayBack === undefined ? ', rollback' : ''} or abort`;
    },
    beginRollback() {
      noWayBack = 'it is the rollback that waits';
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
