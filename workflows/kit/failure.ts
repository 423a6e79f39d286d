/** Failures in workflow code: a plain error there would repeat the workflow task for ever. */
import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import { type FailureType, isFailureType, messageOf, SalvorError } from '../../domain/errors.ts';

/** A failure of the closed list that ends the workflow. */
export function failure(type: FailureType, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

/** Runs a pure check of the domain; its SalvorError becomes the workflow's failure. */
export function checked<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof SalvorError) throw failure(error.type, error.message);
    throw error;
  }
}

/** What a person is told of a failed step: the message of the innermost failure. */
export function reasonOf(error: unknown): string {
  if ((error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && error.cause !== undefined) {
    return reasonOf(error.cause);
  }
  return messageOf(error);
}

/** The type of the failure that is behind an error, when it is one of the closed list. */
export function failureTypeOf(error: unknown): FailureType | undefined {
  if (error instanceof ApplicationFailure) return isFailureType(error.type) ? error.type : undefined;
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) return failureTypeOf(error.cause);
  return undefined;
}

/** Whether an activity was given up because its time was over, without a failure of its own. */
export function isTimeout(error: unknown): boolean {
  return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
}

/** Passes on what isn't an activity that gave up: the operation's own cancellation, and faults of its code. */
export function rethrowUnlessActivity(error: unknown): void {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
}
