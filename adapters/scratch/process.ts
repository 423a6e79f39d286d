/** A server that the worker runs for as long as a drill reads it. */
import { spawn } from 'node:child_process';
import { open, readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SalvorError } from '../../domain/errors.ts';
import { watchChild } from '../hosts/child.ts';
import { lastLines } from '../hosts/tail.ts';

const STOP_MS = 10_000;
const POLL_MS = 50;

export interface ScratchProcess {
  pid: number;
  /** Its log so far. */
  log: () => Promise<string>;
  /** Ends it and returns when it is gone. */
  stop: () => Promise<void>;
}

export interface ScratchProcessOrder<T> {
  /** For messages, for example `the scratch etcd`. */
  name: string;
  argv: readonly [string, ...string[]];
  env: Record<string, string>;
  /** The log is `<place>.log`. The command line must name the scratch folder around it: leftovers are found by that. */
  place: string;
  /** Checks whether it serves; undefined while it doesn't. */
  ready: (process: ScratchProcess) => Promise<T | undefined>;
  deadlineMs: number;
  signal: AbortSignal;
}

/**
 * Starts a process and returns when it is ready.
 * @throws SalvorError `ComponentStuck` when it isn't ready in time or ends before, with the last lines of its log
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
  const watched = watchChild(child, { graceMs: STOP_MS });
  await log.close();
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;

  const process: ScratchProcess = {
    pid: child.pid ?? 0,
    log: async () => await readFile(logFile, 'utf8'),
    async stop() {
      if (isRunning()) watched.end();
      await watched.gone();
    },
  };
  try {
    const endMs = Date.now() + deadlineMs;
    while (isRunning() && Date.now() < endMs) {
      signal.throwIfAborted();
      const ready = await order.ready(process);
      if (ready !== undefined) return { process, ready };
      await sleep(POLL_MS);
    }
    const problem = isRunning() ? `doesn't serve after ${deadlineMs / 1_000} s` : 'ended before it was ready';
    throw new SalvorError(
      'ComponentStuck',
      `${name} (${command}) ${problem}; its log ends with:\n${lastLines(await process.log())}`,
    );
  } catch (error) {
    await process.stop();
    throw error;
  }
}

/**
 * Ends what a killed worker left running in a scratch folder: servers, and etcdutl. Such a process is recognized by its
 * command line, which names the folder; a folder's name belongs to only one activity.
 */
export async function endLeftovers(directory: string): Promise<void> {
  const isLeft = async (pid: number) => (await commandLine(pid)).includes(`${directory}/`);
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter(Number.isInteger);
  for (const pid of pids) {
    const endMs = Date.now() + STOP_MS;
    while (await isLeft(pid)) {
      if (Date.now() > endMs)
        throw new SalvorError('ComponentStuck', `process ${pid} of an earlier attempt in ${directory} can't be ended`);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself, or may not be ended by this user: the next look shows which.
      }
      await sleep(POLL_MS);
    }
  }
}

async function commandLine(pid: number): Promise<string> {
  return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
}
