/** A server of the worker's own, for as long as a drill reads it. */
import { spawn } from 'node:child_process';
import { open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SalvorError } from '../domain/errors.ts';
import { lastLines } from './hosts/process.ts';

const STOP_MS = 10_000;
const POLL_MS = 50;

export interface ScratchProcess {
  pid: number;
  /** What it wrote so far. */
  log: () => Promise<string>;
  /** Ends it and returns when it is gone. */
  stop: () => Promise<void>;
}

export interface ScratchProcessOrder<T> {
  /** For messages, as in `the scratch etcd`. */
  name: string;
  argv: readonly [string, ...string[]];
  env: Record<string, string>;
  /** `<place>.log` and `<place>.pid` lie here; the place is part of its command line. */
  place: string;
  /** Looks whether it serves; undefined while it doesn't. */
  ready: (process: ScratchProcess) => Promise<T | undefined>;
  deadlineMs: number;
  signal: AbortSignal;
}

/**
 * Starts a process and returns when it is ready.
 * @throws SalvorError `ComponentStuck` when it isn't in time or ended before, with the last lines of its log
 */
export async function startScratchProcess<T>(
  order: ScratchProcessOrder<T>,
): Promise<{ process: ScratchProcess; ready: T }> {
  const { name, argv, env, place, signal, deadlineMs } = order;
  signal.throwIfAborted();
  const logFile = `${place}.log`;
  const log = await open(logFile, 'w', 0o600);
  const [command, ...args] = argv;
  const child = spawn(command, args, { stdio: ['ignore', log.fd, log.fd], detached: true, env });
  const { promise: ended, resolve: onEnd } = Promise.withResolvers<void>();
  // A command that can't be spawned ends without ever having run.
  child.once('error', () => onEnd());
  child.once('exit', () => onEnd());
  await log.close();
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;

  const process: ScratchProcess = {
    pid: child.pid ?? 0,
    log: async () => await readFile(logFile, 'utf8'),
    async stop() {
      if (isRunning()) child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(kill);
      await rm(`${place}.pid`, { force: true });
    },
  };
  try {
    if (child.pid !== undefined) await writeFile(`${place}.pid`, String(child.pid), { mode: 0o600 });
    const endMs = Date.now() + deadlineMs;
    while (isRunning() && Date.now() < endMs) {
      signal.throwIfAborted();
      const ready = await order.ready(process);
      if (ready !== undefined) return { process, ready };
      await sleep(POLL_MS);
    }
    const problem = isRunning() ? `doesn't serve after ${deadlineMs / 1_000} s` : 'ended at once';
    throw new SalvorError(
      'ComponentStuck',
      `${name} (${command}) ${problem}; the end of its log:\n${lastLines(await process.log())}`,
    );
  } catch (error) {
    await process.stop();
    throw error;
  }
}

/**
 * Ends what a killed worker left running in a scratch folder. A process is known by its command line, which names the folder:
 * a process ID alone may belong to something else by now.
 */
export async function endLeftovers(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((entry) => entry.endsWith('.pid'))) {
    const pid = Number(await readFile(join(directory, name), 'utf8').catch(() => ''));
    if (!Number.isInteger(pid) || pid <= 1) continue;
    const endMs = Date.now() + STOP_MS;
    while ((await commandLine(pid)).includes(directory)) {
      if (Date.now() > endMs)
        throw new SalvorError('ComponentStuck', `process ${pid} of an earlier attempt in ${directory} can't be ended`);
      process.kill(pid, 'SIGKILL');
      await sleep(POLL_MS);
    }
  }
}

async function commandLine(pid: number): Promise<string> {
  return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
}
