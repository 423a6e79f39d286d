/** Failures in workflow code. A plain error there would make Temporal retry the workflow task forever. */
import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import { type FailureType, isFailureType, messageOf, SalvorError } from '../../domain/errors.ts';

/** Makes a failure of the closed list, which ends the workflow. */
export function failure(type: FailureType, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

/** Runs a pure check of the domain and turns its SalvorError into a failure of the workflow. */
export function checked<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof SalvorError) throw failure(error.type, error.message);
    throw error;
  }
}

/** The reason of a failed step, for people: the message of the innermost failure. */
export function reasonOf(error: unknown): string {
  if ((error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && error.cause !== undefined) {
    return reasonOf(error.cause);
  }
  return messageOf(error);
}

/** The type of the innermost failure; undefined when it isn't on the closed list. */
export function failureTypeOf(error: unknown): FailureType | undefined {
  if (error instanceof ApplicationFailure) return isFailureType(error.type) ? error.type : undefined;
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) return failureTypeOf(error.cause);
  return undefined;
}

/** Whether an activity was given up because its time ran out, and not because it failed. */
export function isTimeout(error: unknown): boolean {
  return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
}

/** Throws the error again unless an activity failed: cancellations and bugs must end the operation. */
export function rethrowUnlessActivity(error: unknown): void {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
}
