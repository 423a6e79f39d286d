/** A child process of the worker that ends when it should: after its time, on abort, and with everything it started. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { environment } from '../environment.ts';
import type { CommandResult, RunOptions, StreamOptions } from './host.ts';

/** Of each output of a command so much is kept. */
export const OUTPUT_BYTES = 1024 * 1024;
/** Between the polite signal and the one that can't be refused. */
export const TERMINATE_MS = 3_000;
/** How long output may still come after the command has ended. A daemon that it left behind may hold the pipes open for ever. */
export const DRAIN_MS = 500;

/**
 * Runs a command without a shell, in a process group of its own. A signal that ended it counts as the exit code 128 and its number, as in a shell.
 * A process that it leaves behind must have output of its own, as every daemon has: the pipes are closed soon after the command ends.
 * @param where named in messages: the host
 * @throws SalvorError `ToolMissing` when there is no such command, `CommandFailed` when it can't be run or takes too long; the signal's reason on abort
 */
export async function runProcess(
  argv: readonly [string, ...string[]],
  where: string,
  { signal, timeoutMs = 60_000, env }: RunOptions,
): Promise<CommandResult> {
  signal.throwIfAborted();
  const [command, ...args] = argv;
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment(), ...env },
  });
  const stdout = new Tail(OUTPUT_BYTES);
  const stderr = new Tail(OUTPUT_BYTES);
  child.stdout.on('data', (chunk: Buffer) => stdout.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));

  let timedOut = false;
  let kill: NodeJS.Timeout | undefined;
  const end = () => {
    signalGroup(child.pid, 'SIGTERM');
    kill ??= setTimeout(() => signalGroup(child.pid, 'SIGKILL'), TERMINATE_MS);
  };
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, timeoutMs);
  signal.addEventListener('abort', end, { once: true });
  try {
    const exitCode = await exitOf(child);
    signal.throwIfAborted();
    if (timedOut) {
      throw new SalvorError(
        'CommandFailed',
        `${where}: \`${argv.join(' ')}\` was ended after ${timeoutMs / 1_000} s without a result${said(stderr)}`,
      );
    }
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  } catch (error) {
    if (signal.aborted) throw error;
    throw notRun(error, argv, where);
  } finally {
    clearTimeout(timer);
    clearTimeout(kill);
    signal.removeEventListener('abort', end);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/**
 * Runs a command as {@link runProcess} does, and gives its standard output as it comes. Its output may be read as slowly as one likes.
 * @throws SalvorError as {@link runProcess}, and `CommandFailed` for an exit code other than 0 or for a command that falls silent
 */
export async function* streamProcess(
  argv: readonly [string, ...string[]],
  where: string,
  { signal, silenceMs = 60_000 }: StreamOptions,
): AsyncGenerator<Uint8Array, void> {
  signal.throwIfAborted();
  const [command, ...args] = argv;
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: environment() });
  const stderr = new Tail(OUTPUT_BYTES);
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
  const exit = exitOf(child);
  // It is asked for only after the output has ended.
  exit.catch(() => undefined);

  let silent = false;
  let kill: NodeJS.Timeout | undefined;
  const end = () => {
    signalGroup(child.pid, 'SIGTERM');
    kill ??= setTimeout(() => signalGroup(child.pid, 'SIGKILL'), TERMINATE_MS);
  };
  const onSilence = () => {
    silent = true;
    end();
  };
  signal.addEventListener('abort', end, { once: true });
  let watchdog = setTimeout(onSilence, silenceMs);
  let ended = false;
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      clearTimeout(watchdog);
      yield chunk;
      watchdog = setTimeout(onSilence, silenceMs);
    }
    const exitCode = await exit;
    ended = true;
    signal.throwIfAborted();
    if (exitCode === 0) return;
    const how = silent ? `gave nothing for ${silenceMs / 1_000} s and was ended` : `ended with exit code ${exitCode}`;
    throw new SalvorError('CommandFailed', `${where}: \`${argv.join(' ')}\` ${how}${said(stderr)}`);
  } catch (error) {
    signal.throwIfAborted();
    throw notRun(error, argv, where);
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener('abort', end);
    if (!ended) end();
    await exit.catch(() => undefined);
    clearTimeout(kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Why a command has no result; a failure that was named already stays as it is. */
function notRun(error: unknown, argv: readonly [string, ...string[]], where: string): SalvorError {
  if (error instanceof SalvorError) return error;
  const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  return new SalvorError(
    missing ? 'ToolMissing' : 'CommandFailed',
    missing
      ? `${where}: there is no command "${argv[0]}"; install it, or correct the command in the configuration`
      : `${where}: \`${argv.join(' ')}\` could not be run: ${messageOf(error)}`,
    { cause: error },
  );
}

/** The last lines of what a command said, for a message. */
export function lastLines(text: string, lines = 5): string {
  return text.trim().split('\n').slice(-lines).join('\n');
}

/** What a command said last, as the end of a message. */
export function said(stderr: Tail): string {
  const text = lastLines(stderr.text());
  return text === '' ? '' : `; its last words: ${text}`;
}

/** The exit code: when the outputs have ended too, or soon after the process has. */
export function exitOf(child: ReturnType<typeof spawn>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('close', (code, signalName) => resolve(exitCodeOf(code, signalName)));
  child.once('exit', (code, signalName) => {
    setTimeout(() => resolve(exitCodeOf(code, signalName)), DRAIN_MS).unref();
  });
  return promise;
}

function exitCodeOf(code: number | null, signalName: NodeJS.Signals | null): number {
  return code ?? 128 + (signalName === null ? 0 : constants.signals[signalName]);
}

/** Signals a process and all that it started. */
export function signalGroup(pid: number | undefined, signalName: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signalName);
  } catch {
    // The group is gone already.
  }
}

/** The end of a stream of bytes. */
export class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Trimmed rarely, so that much output costs little.
    if (this.#bytes > 2 * this.#limit) {
      const kept = Buffer.concat(this.#chunks).subarray(-this.#limit);
      this.#chunks = [kept];
      this.#bytes = kept.length;
    }
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-this.#limit).toString('utf8');
  }
}
