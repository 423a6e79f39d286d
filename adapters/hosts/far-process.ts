/** One command on the far side of an SSH connection. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { environment } from '../environment.ts';
import { farLine } from './far-shell.ts';
import { MarkedOutput } from './marked-output.ts';
import { DRAIN_MS, exitOf, OUTPUT_BYTES, runProcess, said, signalGroup, Tail, TERMINATE_MS } from './process.ts';
import { connectionFailure } from './ssh-failures.ts';
import type { SshRoute } from './ssh-client.ts';

export interface FarOptions {
  signal: AbortSignal;
  /** A command that takes longer is ended; the connection has a minute of its own. */
  timeoutMs?: number;
  /** A command that gives nothing for so long while it is waited for is ended. */
  silenceMs?: number;
  /** What the command reads; nothing by default. */
  input?: AsyncIterable<Uint8Array>;
}

export interface FarEnd {
  exitCode: number;
  /** The last 1 MiB. */
  stderr: string;
}

/** The far shell ends a command within {@link TERMINATE_MS}; a connection on which that doesn't show is dropped. */
const END_MS = TERMINATE_MS + 2_000;
/** From the start of ssh to that of the command: for jump hosts, slow name servers and busy nodes. */
const CONNECT_MS = 60_000;

/**
 * Runs a command on the far side, and gives its standard output as it comes, then how it ended. It ends with the connection, the worker, the
 * signal and its reader, with all that it started.
 * @throws SalvorError `HostUnreachable` when there is no connection or it breaks, `AccessDenied` when ssh or sudo refuse, `ToolMissing`,
 * `CommandFailed` when it takes too long; what `input` throws; the signal's reason on abort
 */
export async function* runFar(
  route: SshRoute,
  argv: readonly [string, ...string[]],
  options: FarOptions,
): AsyncGenerator<Uint8Array, FarEnd> {
  const { signal, timeoutMs, silenceMs, input } = options;
  signal.throwIfAborted();
  const line = farLine(argv, { sudo: route.settings.sudo, fed: input !== undefined });
  const child = spawn('ssh', [...route.arguments, line], { detached: true, stdio: 'pipe', env: environment() });
  const mark = `salvor-${randomBytes(16).toString('hex')}`;
  const output = new MarkedOutput(mark);
  const errors = new MarkedOutput(mark);
  const stderr = new Tail(OUTPUT_BYTES);
  const { promise: errorsEnded, resolve: onErrorsEnded } = Promise.withResolvers<void>();
  child.stderr.on('data', (chunk: Buffer) => {
    stderr.add(errors.take(chunk));
    if (errors.hasEnded) onErrorsEnded();
  });
  const exit = exitOf(child);
  // It is asked for only after the output has ended.
  exit.catch(() => undefined);

  let tooLong: string | undefined;
  const drops: NodeJS.Timeout[] = [];
  const end = () => {
    // The far shell reads this end, and ends the command.
    child.stdin.destroy();
    if (drops.length > 0) return;
    drops.push(setTimeout(() => signalGroup(child.pid, 'SIGTERM'), END_MS));
    drops.push(setTimeout(() => signalGroup(child.pid, 'SIGKILL'), END_MS + TERMINATE_MS));
  };
  const endLate = (why: string) => () => {
    tooLong = why;
    end();
  };
  const endSilent = endLate(`gave nothing for ${(silenceMs ?? 0) / 1_000} s and was ended`);
  let watchdog = setTimer(CONNECT_MS, endLate('did not begin'));
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', end, { once: true });
  let inputFailure: { error: unknown } | undefined;
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${mark}\n`);
  const feeding =
    input &&
    feed(input, child.stdin).catch((error: unknown) => {
      inputFailure = { error };
      end();
    });

  try {
    let exitCode: string | undefined;
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      const own = output.take(chunk);
      if (output.hasBegun) {
        clearTimeout(watchdog);
        timer ??= setTimer(timeoutMs, endLate(`was ended after ${(timeoutMs ?? 0) / 1_000} s without a result`));
      }
      if (own.length > 0) yield own;
      exitCode = output.hasEnded ? /^(.*)\n/.exec(output.rest)?.[1] : undefined;
      if (exitCode !== undefined) break;
      if (output.hasBegun) watchdog = setTimer(silenceMs, endSilent);
    }
    // What a daemon left open, the marks have ended for the command.
    await Promise.race([exit, errorsEnded]);
    signal.throwIfAborted();
    if (inputFailure !== undefined) throw inputFailure.error;
    if (tooLong !== undefined && output.hasBegun) {
      throw new SalvorError('CommandFailed', `${route.node}: \`${argv.join(' ')}\` ${tooLong}${said(stderr)}`);
    }
    if (exitCode?.startsWith('missing')) {
      throw missingCommand(route, exitCode === 'missing setsid' ? 'setsid' : argv[0]);
    }
    if (exitCode !== undefined) return { exitCode: Number(exitCode), stderr: stderr.text() };
    const { hasBegun } = output;
    const words = hasBegun ? stderr.text() : ((await saidByJump(route, signal)) ?? errors.rest);
    throw connectionFailure(route, argv, {
      hasBegun,
      exitCode: tooLong === undefined ? await exit : undefined,
      said: words,
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && 'syscall' in error && error.syscall === 'spawn ssh') {
      throw new SalvorError(
        'ToolMissing',
        `${route.node}: the OpenSSH client can't be run on the worker (${messageOf(error)}); install it`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    clearTimeout(timer);
    clearTimeout(watchdog);
    signal.removeEventListener('abort', end);
    end();
    // A daemon that holds the outputs open keeps ssh waiting.
    if (output.hasEnded) drops.push(setTimeout(() => signalGroup(child.pid, 'SIGTERM'), DRAIN_MS));
    await exit.catch(() => undefined);
    for (const drop of drops) clearTimeout(drop);
    child.stdout.destroy();
    child.stderr.destroy();
    await feeding;
  }
}

/** A connection that is to be shared hides what the jump host's ssh says; one alone shows it. */
async function saidByJump({ node, settings, alone }: SshRoute, signal: AbortSignal): Promise<string | undefined> {
  if (settings.jump === undefined) return undefined;
  const { stderr } = await runProcess(['ssh', ...alone, 'true'], node, { signal, timeoutMs: CONNECT_MS });
  return stderr.trim() || undefined;
}

function setTimer(ms: number | undefined, act: () => void): NodeJS.Timeout | undefined {
  return ms === undefined ? undefined : setTimeout(act, ms);
}

/** As fast as the far side takes it. A far side that is gone shows by its exit, not here. */
async function feed(
  input: AsyncIterable<Uint8Array>,
  to: NodeJS.WritableStream & { destroyed: boolean },
): Promise<void> {
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
    `${node}: there is no command "${command}"; install it, or correct the command in the configuration`,
  );
}
