/** What the library throws: one class, with a type that programs can act on. */
import { status } from '@grpc/grpc-js';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import {
  isGrpcDeadlineError,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { FAILURES, type FailureType, isFailureType, messageOf, SalvorError } from '../domain/errors.ts';

/**
 * The failures that `domain/errors.ts` does not list: of the connection to Temporal, and of a workflow that was ended
 * from outside.
 */
export const CLIENT_FAILURES = {
  TemporalUnreachable: { exit: 1, act: 'start Temporal, or correct its address (--address, TEMPORAL_ADDRESS)' },
  TemporalNotSetUp: { exit: 1, act: 'run `salvor setup` once' },
  TemporalRefused: { exit: 1, act: 'check the namespace and the credentials for Temporal' },
  UnknownOperation: { exit: 2, act: 'choose one from `salvor operations`' },
  OperationCancelled: { exit: 1, act: 'look at its last steps (`salvor show`) before starting another' },
  OperationTerminated: {
    exit: 1,
    act: 'look at the cluster before starting another: a terminated operation cleans nothing up',
  },
  OperationTimedOut: { exit: 1, act: 'look at its last steps (`salvor show`)' },
  OperationFailed: { exit: 1, act: 'read the history of the workflow' },
} as const satisfies Record<string, { exit: 1 | 2; act: string }>;

export type ClientFailureType = keyof typeof CLIENT_FAILURES;

/** A failure of an operation, or of the connection to it. */
export class SalvorOperationError extends Error {
  readonly type: FailureType | ClientFailureType;
  /** The operation, if one was started. */
  readonly workflowId: string | undefined;

  constructor(
    type: FailureType | ClientFailureType,
    message: string,
    options?: ErrorOptions & { workflowId?: string },
  ) {
    super(message, options);
    this.name = 'SalvorOperationError';
    this.type = type;
    this.workflowId = options?.workflowId;
  }

  /** What to do, in a few words. */
  get act(): string {
    return isFailureType(this.type) ? FAILURES[this.type].act : CLIENT_FAILURES[this.type].act;
  }

  /** The command line's exit status: 1 failed, 2 nothing was started. */
  get exitCode(): 1 | 2 {
    return isFailureType(this.type) ? FAILURES[this.type].exit : CLIENT_FAILURES[this.type].exit;
  }
}

/** The address and namespace of Temporal, for messages. */
export interface TemporalPlace {
  address: string;
  namespace: string;
}

/** Turns anything that Temporal's client throws into one error that says what happened and what to do. */
export function toOperationError(error: unknown, place: TemporalPlace, workflowId?: string): SalvorOperationError {
  if (error instanceof SalvorOperationError) return error;
  const options = { cause: error, ...(workflowId !== undefined && { workflowId }) };
  if (error instanceof SalvorError) return new SalvorOperationError(error.type, error.message, options);
  // A workflow that fails or refuses an update uses the failures listed in domain/errors.ts.
  if (error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError) {
    return new SalvorOperationError(...failureOf(error), options);
  }
  if (error instanceof WorkflowNotFoundError) {
    const message = `no operation "${workflowId ?? error.workflowId}" in namespace "${place.namespace}" at ${place.address}`;
    return new SalvorOperationError('UnknownOperation', message, { cause: error });
  }
  if (error instanceof WorkflowExecutionAlreadyStartedError) {
    return new SalvorOperationError(
      'ClusterBusy',
      `an operation with the ID "${error.workflowId}" runs already`,
      options,
    );
  }
  const reason = messageOf(chain(error).at(-1));
  if (isUnreachable(error)) {
    return new SalvorOperationError(
      'TemporalUnreachable',
      `Temporal doesn't answer at ${place.address}: ${reason}`,
      options,
    );
  }
  if (/no mapping defined for search attribute|invalid search attribute/i.test(reason)) {
    const message = `Temporal at ${place.address} does not know Salvor's search attributes in namespace "${place.namespace}": ${reason}`;
    return new SalvorOperationError('TemporalNotSetUp', message, options);
  }
  if (/namespace .*not found/i.test(reason)) {
    const message = `Temporal at ${place.address} has no namespace "${place.namespace}"`;
    return new SalvorOperationError('TemporalNotSetUp', message, options);
  }
  return new SalvorOperationError('TemporalRefused', `Temporal at ${place.address}: ${reason}`, options);
}

/**
 * Calls Temporal.
 * @param workflowId the operation that the call is about
 * @throws SalvorOperationError for anything that Temporal's client throws
 */
export async function asking<T>(place: TemporalPlace, ask: () => Promise<T>, workflowId?: string): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw toOperationError(error, place, workflowId);
  }
}

/** What ended a workflow, as type and message: the innermost failure listed in `domain/errors.ts`, or how it ended. */
function failureOf(error: WorkflowFailedError | WorkflowUpdateFailedError): [FailureType | ClientFailureType, string] {
  const causes = chain(error);
  const known = causes.findLast((cause) => cause instanceof ApplicationFailure && isFailureType(cause.type));
  if (known instanceof ApplicationFailure && isFailureType(known.type)) return [known.type, known.message];
  const reason = messageOf(causes.at(-1));
  if (error.cause instanceof CancelledFailure) return ['OperationCancelled', 'the operation was cancelled'];
  if (error.cause instanceof TerminatedFailure)
    return ['OperationTerminated', `the operation was terminated: ${reason}`];
  if (error.cause instanceof TimeoutFailure) return ['OperationTimedOut', `the operation timed out: ${reason}`];
  return ['OperationFailed', reason];
}

/** The error and its causes, the outermost first. */
function chain(error: unknown): unknown[] {
  const errors: unknown[] = [];
  for (let at = error; at !== undefined && !errors.includes(at); at = at instanceof Error ? at.cause : undefined) {
    errors.push(at);
  }
  return errors;
}

/** Whether Temporal did not answer. Then nobody knows whether it acted, and asking again may help. */
export function isUnreachable(error: unknown): boolean {
  return chain(error).some(
    (cause) =>
      isGrpcDeadlineError(cause) ||
      (isGrpcServiceError(cause) && cause.code === status.UNAVAILABLE) ||
      // `Connection.connect` gives up with a plain error.
      (cause instanceof Error && /failed to connect before the deadline/i.test(cause.message)),
  );
}
