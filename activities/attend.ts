/** What all activities share: heartbeats, cancellation, and the closed list of failures. */
import { activityInfo, ApplicationFailure, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { FAILURES, SalvorError } from '../domain/errors.ts';

/** Well below the shortest heartbeat timeout that a workflow sets. */
const HEARTBEAT_EVERY_MS = 2_000;

/** Where the message of a stack trace ends and its first frame begins. */
const FRAMES = '\n    at ';

export interface Attendance {
  /** Aborted when the operation is cancelled or the worker shuts down. */
  signal: AbortSignal;
  /** Keeps details for the next attempt, which reads them as `previous`. Keep them small. */
  remember: (details: unknown) => void;
  /** The last details that an earlier attempt of this activity remembered; parse them. */
  previous: unknown;
  attempt: number;
  /** How long the activity has been tried, all attempts together, by the clocks of Temporal and this worker. */
  triedMs: number;
}

/**
 * Makes an activity of `act`: it sends heartbeats while `act` runs, passes cancellation on, and turns a SalvorError
 * into a failure that Temporal retries or doesn't, as the closed list says.
 */
export function attended<I, O>(act: (input: I, attendance: Attendance) => Promise<O>): (input: I) => Promise<O> {
  return async (input) => {
    const info = activityInfo();
    let details: unknown = info.heartbeatDetails;
    const beat = setInterval(() => heartbeat(details), HEARTBEAT_EVERY_MS);
    try {
      return await act(input, {
        signal: cancellationSignal(),
        previous: info.heartbeatDetails,
        attempt: info.attempt,
        triedMs: Date.now() - info.scheduledTimestampMs,
        remember(remembered) {
          details = remembered;
          heartbeat(details);
        },
      });
    } catch (error) {
      if (cancellationSignal().aborted) throw cancellationSignal().reason;
      throw failureOf(error);
    } finally {
      clearInterval(beat);
    }
  };
}

/**
 * Turns a SalvorError into a failure that Temporal retries or doesn't, as the closed list says. Any other error is
 * returned unchanged.
 */
export function failureOf(error: unknown): unknown {
  if (!(error instanceof SalvorError)) return error;
  log.warn('activity failed', { type: error.type, reason: error.message });
  // The message appears once, and not again as a cause or in the stack: Temporal shows at most 4 KiB of a failure that
  // it retries.
  const failure = ApplicationFailure.create({
    type: error.type,
    message: error.message,
    nonRetryable: !FAILURES[error.type].retryable,
  });
  failure.stack = error.stack?.slice(error.stack.indexOf(FRAMES)) ?? '';
  return failure;
}
