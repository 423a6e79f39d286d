/** Reads type and message out of the failure of a workflow. */
import { ApplicationFailure } from '@temporalio/common';

export function failureTypeIn(error: unknown): string | undefined {
  if (error instanceof ApplicationFailure && error.type) return error.type;
  return error instanceof Error && error.cause !== undefined ? failureTypeIn(error.cause) : undefined;
}

/** The innermost message. */
export function causeIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : causeIn(error.cause);
}

/** Reads the message of the failure that has that type. */
export function failureMessageIn(error: unknown): string {
  if (error instanceof ApplicationFailure && error.type) return error.message;
  return error instanceof Error ? failureMessageIn(error.cause) : '';
}
