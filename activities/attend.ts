/** What every activity shares: heartbeats, cancellation, and failures of the closed list. */
import { activityInfo, ApplicationFailure, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { FAILURES, SalvorError } from '../domain/errors.ts';

/** Well below the shortest heartbeat timeout that a workflow sets. */
const HEARTBEAT_EVERY_MS = 2_000;

/** Where a stack has said its message and begins to tell the places. */
const FRAMES = '\n    at ';

export interface Attendance {
  /** Aborted when the operation is cancelled or the worker shuts down. */
  signal: AbortSignal;
  /** What the next attempt can read in `previous`; small. */
  remember: (details: unknown) => void;
  /** What an earlier attempt of this activity remembered last; parse it. */
  previous: unknown;
  attempt: number;
  /** How long this has been tried, with all attempts before, by the clocks of Temporal and this worker. */
  triedMs: number;
}

/**
 * Makes an activity: it beats while `act` runs, passes cancellation on, and turns a SalvorError into a failure that
 * Temporal retries, or doesn't, as the closed list says.
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

/** A SalvorError as a failure that Temporal retries, or doesn't, as the closed list says; anything else as it is. */
export function failureOf(error: unknown): unknown {
  if (!(error instanceof SalvorError)) return error;
  log.warn('activity failed', { type: error.type, reason: error.message });
  // Its message once, and neither as a cause nor in the stack again: of a failure that is retried Temporal shows
  // nothing above 4 KiB.
  const failure = ApplicationFailure.create({
    type: error.type,
    message: error.message,
    nonRetryable: !FAILURES[error.type].retryable,
  });
  failure.stack = error.stack?.slice(error.stack.indexOf(FRAMES)) ?? '';
  return failure;
}
