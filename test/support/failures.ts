/** Reads type and message out of the failure of a workflow. */
import { ApplicationFailure } from '@temporalio/common';

export function failureTypeIn(error: unknown): string | undefined {
  if (error instanceof ApplicationFailure && error.type) return error.type;
  return error instanceof Error && error.cause !== undefined ? failureTypeIn(error.cause) : undefined;
}

/** The innermost message. */
export function failureMessageIn(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return error.cause instanceof Error ? failureMessageIn(error.cause) : error.message;
}
