/**
 * Results go to standard output, everything else to standard error. With `--output json`, standard output is exactly
 * one JSON document.
 */
import { FAILURES, messageOf, SalvorError } from '../domain/errors.ts';
import { type Look, paint, plain } from './render/format.ts';

/** The exit status if a person left with Ctrl-C; the operation continues. */
export const DETACHED = 130;
/** The exit status if the operation waits for a person. */
export const WAITING = 3;

/** A mistake on the command line; nothing was started. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export interface ErrorReport {
  error: { type: string; message: string; act: string; workflowId?: string };
}

export function lookOf(stream: NodeJS.WriteStream): Look {
  return {
    color: stream.isTTY && stream.hasColors(),
    now: new Date(),
    timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
    // A file has no width, so nothing is cut off.
    columns: stream.columns ?? 1_000,
  };
}

/** Prints the one result of a command. */
export function printResult(format: 'text' | 'json', value: unknown, text: (look: Look) => string): void {
  process.stdout.write(`${format === 'json' ? JSON.stringify(value, null, 2) : text(lookOf(process.stdout))}\n`);
}

/** Prints a line for the person who waits. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** An error as a program gets it, and its exit status. */
export function describeError(error: unknown): ErrorReport & { exit: 1 | 2 } {
  if (error instanceof UsageError) {
    return {
      error: { type: 'InvalidInput', message: error.message, act: 'correct the command; --help shows its usage' },
      exit: 2,
    };
  }
  if (isOperationError(error)) {
    const { type, message, act, workflowId, exitCode } = error;
    return { error: { type, message, act, ...(workflowId !== undefined && { workflowId }) }, exit: exitCode };
  }
  if (error instanceof SalvorError) {
    const { act, exit } = FAILURES[error.type];
    return { error: { type: error.type, message: error.message, act }, exit };
  }
  return {
    error: { type: 'Unexpected', message: messageOf(error), act: 'report it as a bug in Salvor' },
    exit: 1,
  };
}

interface OperationErrorLike {
  type: string;
  message: string;
  act: string;
  workflowId: string | undefined;
  exitCode: 1 | 2;
}

/** Checks the name only: importing the class would load Temporal's client just to report an unknown option. */
function isOperationError(error: unknown): error is Error & OperationErrorLike {
  return error instanceof Error && error.name === 'SalvorOperationError';
}

/** Prints an error in the given format and returns the exit status. */
export function printError(format: 'text' | 'json', thrown: unknown, look: Look = lookOf(process.stderr)): 1 | 2 {
  const { error, exit } = describeError(thrown);
  if (format === 'json') process.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);
  else process.stderr.write(`${renderError(error, look)}\n`);
  if (error.type === 'Unexpected' && thrown instanceof Error) process.stderr.write(`${thrown.stack ?? ''}\n`);
  return exit;
}

/** The error for people: what happened, then what to do. */
export function renderError({ type, message, act, workflowId }: ErrorReport['error'], look: Look): string {
  return [
    `${paint(look, 'red', `✖ ${type}`)}: ${message.split('\n').map(plain).join('\n')}`,
    `  → ${act}`,
    ...(workflowId === undefined ? [] : [`  its steps: salvor show ${workflowId}`]),
  ].join('\n');
}
