/** Runs commands on the worker's own machine. */
import { spawn } from 'node:child_process';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { environment } from '../environment.ts';
import { hasErrorCode } from '../system-errors.ts';
import { watchChild } from './child.ts';
import type { CommandResult, RunOptions, StreamOptions } from './host.ts';
import { said, Tail } from './tail.ts';

/**
 * Runs a command without a shell, in a process group of its own. A signal that ended it counts as exit code 128 plus
 * its number, as in a shell. A process that it leaves behind must have output of its own, as every daemon has: the
 * pipes are closed soon after the command ends.
 * @param where named in messages: the host
 * @throws SalvorError `ToolMissing` when the command doesn't exist, `CommandFailed` when it can't be run or takes too
 * long; the signal's reason on abort
 */
export async function runProcess(
  argv: readonly [string, ...string[]],
  where: string,
  { signal, timeoutMs = 60_000, env }: RunOptions,
): Promise<CommandResult> {
  signal.throwIfAborted();
  const child = spawnPiped(argv, env);
  const [stdout, stderr] = [new Tail(), new Tail()];
  child.stdout.on('data', (chunk: Buffer) => stdout.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
  const watched = watchChild(child, { signal });
  watched.limit('time', timeoutMs, `was ended after ${timeoutMs / 1_000} s without a result`);
  try {
    const exitCode = await watched.exit;
    signal.throwIfAborted();
    if (watched.overdue !== undefined) {
      throw new SalvorError('CommandFailed', `${where}: \`${argv.join(' ')}\` ${watched.overdue}${said(stderr)}`);
    }
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  } catch (error) {
    if (signal.aborted) throw error;
    throw notRun(error, argv, where);
  } finally {
    await watched.gone();
  }
}

/**
 * Runs a command as {@link runProcess} does, and yields its standard output as it comes, however slowly it is read.
 * @throws SalvorError as {@link runProcess}, and `CommandFailed` for an exit code other than 0 or for a command that
 * falls silent
 */
export async function* streamProcess(
  argv: readonly [string, ...string[]],
  where: string,
  { signal, silenceMs = 60_000 }: StreamOptions,
): AsyncGenerator<Uint8Array, void> {
  signal.throwIfAborted();
  const child = spawnPiped(argv);
  const stderr = new Tail();
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
  const watched = watchChild(child, { signal });
  const awaitOutput = () =>
    watched.limit('silence', silenceMs, `gave nothing for ${silenceMs / 1_000} s and was ended`);
  let ended = false;
  awaitOutput();
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      watched.lift('silence');
      yield chunk;
      awaitOutput();
    }
    const exitCode = await watched.exit;
    ended = true;
    signal.throwIfAborted();
    if (exitCode === 0) return;
    const how = watched.overdue ?? `ended with exit code ${exitCode}`;
    throw new SalvorError('CommandFailed', `${where}: \`${argv.join(' ')}\` ${how}${said(stderr)}`);
  } catch (error) {
    signal.throwIfAborted();
    throw notRun(error, argv, where);
  } finally {
    if (!ended) watched.end();
    await watched.gone();
  }
}

function spawnPiped([command, ...args]: readonly [string, ...string[]], env: Record<string, string> = {}) {
  return spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment(), ...env },
  });
}

/** Why a command has no result; a failure that is already a SalvorError stays as it is. */
function notRun(error: unknown, argv: readonly [string, ...string[]], where: string): SalvorError {
  if (error instanceof SalvorError) return error;
  const missing = hasErrorCode(error, 'ENOENT');
  return new SalvorError(
    missing ? 'ToolMissing' : 'CommandFailed',
    missing
      ? `${where}: the command "${argv[0]}" does not exist; install it, or correct the command in the configuration`
      : `${where}: \`${argv.join(' ')}\` could not be run: ${messageOf(error)}`,
    { cause: error },
  );
}
