/** Runs one command on the far side of an SSH connection. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { environment } from '../environment.ts';
import { DRAIN_MS, TERMINATE_MS, watchChild, type WatchedChild } from './child.ts';
import { farLine } from './far-shell.ts';
import { MarkedOutput } from './marked-output.ts';
import { runProcess } from './process.ts';
import { connectionFailure } from './ssh-failures.ts';
import type { SshRoute } from './ssh-client.ts';
import { said, Tail } from './tail.ts';

export interface FarOptions {
  signal: AbortSignal;
  /** A command that takes longer is ended; connecting has a minute of its own. */
  timeoutMs?: number;
  /** A command that prints nothing for this long while its output is awaited is ended. */
  silenceMs?: number;
  /** The command's input; none by default. */
  input?: AsyncIterable<Uint8Array>;
}

export interface FarEnd {
  exitCode: number;
  /** The last 1 MiB. */
  stderr: string;
}

/** The far shell ends a command within {@link TERMINATE_MS}; a connection that doesn't show this is dropped. */
const END_MS = TERMINATE_MS + 2_000;
/** From the start of ssh to the start of the command: enough for jump hosts, slow name servers and busy nodes. */
const CONNECT_MS = 60_000;

/**
 * Runs a command on the far side; yields its standard output as it comes, then returns how it ended. The command, with
 * all that it started, ends when the connection, the worker or the reader ends, or on abort.
 * @throws SalvorError `HostUnreachable` when there is no connection or it breaks, `AccessDenied` when ssh or sudo
 * refuse, `ToolMissing`, `CommandFailed` when it takes too long; what `input` throws; the signal's reason on abort
 */
export async function* runFar(
  route: SshRoute,
  argv: readonly [string, ...string[]],
  options: FarOptions,
): AsyncGenerator<Uint8Array, FarEnd> {
  const { signal, input } = options;
  signal.throwIfAborted();
  const line = farLine(argv, { sudo: route.settings.sudo, fed: input !== undefined });
  const child = spawn('ssh', [...route.arguments, line], { detached: true, stdio: 'pipe', env: environment() });
  const mark = `salvor-${randomBytes(16).toString('hex')}`;
  const output = new MarkedOutput(mark);
  const errors = readErrors(child.stderr, mark);
  // The far shell notices the end of its input and ends the command.
  const watched = watchChild(child, { signal, hangUp: () => child.stdin.destroy(), hangUpMs: END_MS });
  const fed = feed(child.stdin, mark, input, watched);
  try {
    const exitWord = yield* readOutput(child.stdout, output, watched, options);
    // The marks have ended the output for the command, even if a daemon keeps it open.
    await Promise.race([watched.exit, errors.ended]);
    signal.throwIfAborted();
    fed.rethrow();
    const { overdue } = watched;
    const { hasBegun } = output;
    if (overdue !== undefined && hasBegun) {
      throw new SalvorError('CommandFailed', `${route.node}: \`${argv.join(' ')}\` ${overdue}${said(errors.own)}`);
    }
    if (exitWord?.startsWith('missing')) {
      throw missingCommand(route, exitWord === 'missing setsid' ? 'setsid' : argv[0]);
    }
    if (exitWord !== undefined) return { exitCode: Number(exitWord), stderr: errors.own.text() };
    const words = hasBegun ? errors.own.text() : ((await saidByJump(route, signal)) ?? errors.rest());
    const exitCode = overdue === undefined ? await watched.exit : undefined;
    throw connectionFailure(route, argv, { hasBegun, exitCode, said: words });
  } catch (error) {
    signal.throwIfAborted();
    throw isSshMissing(error) ? sshMissing(route, error) : error;
  } finally {
    watched.end();
    // A daemon that holds the outputs open keeps ssh waiting.
    if (output.hasEnded) watched.end(DRAIN_MS);
    await watched.gone();
    await fed.done;
  }
}

/** The command's own error output, without that of ssh and the shell. */
function readErrors(stream: Readable, mark: string): { own: Tail; ended: Promise<void>; rest: () => string } {
  const errors = new MarkedOutput(mark);
  const own = new Tail();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  stream.on('data', (chunk: Buffer) => {
    own.add(errors.take(chunk));
    if (errors.hasEnded) resolve();
  });
  return { own, ended, rest: () => errors.rest };
}

/**
 * @returns what the far shell reports about the command's end; undefined when the connection ended first
 */
async function* readOutput(
  stream: AsyncIterable<Buffer>,
  output: MarkedOutput,
  watched: WatchedChild,
  { timeoutMs, silenceMs }: FarOptions,
): AsyncGenerator<Uint8Array, string | undefined> {
  watched.limit('silence', CONNECT_MS, 'did not begin');
  let isTimed = false;
  for await (const chunk of stream) {
    const own = output.take(chunk);
    if (output.hasBegun) watched.lift('silence');
    if (output.hasBegun && !isTimed && timeoutMs !== undefined) {
      isTimed = true;
      watched.limit('time', timeoutMs, `was ended after ${timeoutMs / 1_000} s without a result`);
    }
    if (own.length > 0) yield own;
    const exitWord = output.hasEnded ? /^(.*)\n/.exec(output.rest)?.[1] : undefined;
    if (exitWord !== undefined) return exitWord;
    if (output.hasBegun && silenceMs !== undefined)
      watched.limit('silence', silenceMs, `gave nothing for ${silenceMs / 1_000} s and was ended`);
  }
  return undefined;
}

/**
 * Writes the mark, which the far shell reads first, and then the command's input. An error from `input` ends the
 * command.
 */
function feed(
  to: Writable,
  mark: string,
  input: AsyncIterable<Uint8Array> | undefined,
  watched: WatchedChild,
): { done: Promise<void>; rethrow: () => void } {
  let failure: { error: unknown } | undefined;
  to.on('error', () => undefined);
  to.write(`${mark}\n`);
  const done = (input === undefined ? Promise.resolve() : writeAll(input, to)).catch((error: unknown) => {
    failure = { error };
    watched.end();
  });
  return {
    done,
    rethrow() {
      if (failure !== undefined) throw failure.error;
    },
  };
}

/** A shared connection hides what the jump host's ssh prints; a connection of its own shows it. */
async function saidByJump({ node, settings, alone }: SshRoute, signal: AbortSignal): Promise<string | undefined> {
  if (settings.jump === undefined) return undefined;
  const { stderr } = await runProcess(['ssh', ...alone, 'true'], node, { signal, timeoutMs: CONNECT_MS });
  return stderr.trim() || undefined;
}

/** As fast as the far side takes it. If the far side is gone, its exit shows that, not an error here. */
async function writeAll(input: AsyncIterable<Uint8Array>, to: Writable): Promise<void> {
  for await (const chunk of input) {
    if (to.destroyed) return;
    if (to.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const done = () => {
        to.off('drain', done).off('close', done);
        resolve();
      };
      to.on('drain', done).on('close', done);
      if (to.destroyed) done();
    });
  }
  to.end();
}

function missingCommand({ node }: SshRoute, command: string): SalvorError {
  return new SalvorError(
    'ToolMissing',
    `${node}: the command "${command}" does not exist; install it, or correct the command in the configuration`,
  );
}

function isSshMissing(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'spawn ssh';
}

function sshMissing({ node }: SshRoute, error: unknown): SalvorError {
  return new SalvorError(
    'ToolMissing',
    `${node}: the OpenSSH client can't be run on the worker (${messageOf(error)}); install it`,
    { cause: error },
  );
}
