/**
 * A child process of the worker, in a process group of its own. It ends when it should: at its time limit, on abort,
 * and with everything that it started.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** The time between SIGTERM and SIGKILL. */
export const TERMINATE_MS = 3_000;
/**
 * How long output may still arrive after the command has ended. A daemon that it left behind may hold the pipes open
 * forever.
 */
export const DRAIN_MS = 500;

export interface WatchOptions {
  /** Its abort ends the child. */
  signal?: AbortSignal;
  /** Between SIGTERM and SIGKILL. Default {@link TERMINATE_MS}. */
  graceMs?: number;
  /** Asks the child to end before any signal is sent. */
  hangUp?: () => void;
  /** How long it may take to end after `hangUp` alone. Default 0. */
  hangUpMs?: number;
}

export interface WatchedChild {
  /**
   * The exit code, as in a shell: a signal counts as 128 plus its number. Resolves once the outputs have ended too, or
   * soon after the process has. Rejects when the command can't be run.
   */
  readonly exit: Promise<number>;
  /** Which limit ended it; undefined when none did. */
  readonly overdue: string | undefined;
  /** Sets a time after which the child is ended; it replaces the limit of the same name. */
  limit(name: string, ms: number, why: string): void;
  lift(name: string): void;
  /** Ends it and all that it started. */
  end(hangUpMs?: number): void;
  /** Returns once it is gone, and clears its limits and pipes. */
  gone(): Promise<void>;
}

/** Watches a child that was spawned with `detached`. The caller awaits `gone` at the end. */
export function watchChild(child: ChildProcess, options: WatchOptions = {}): WatchedChild {
  const { signal, graceMs = TERMINATE_MS, hangUp, hangUpMs: patienceMs = 0 } = options;
  const limits = new Map<string, NodeJS.Timeout>();
  const signals: NodeJS.Timeout[] = [];
  let overdue: string | undefined;
  const exit = exitOf(child);
  // It is read only after the output has ended.
  exit.catch(() => undefined);

  function end(hangUpMs = patienceMs): void {
    hangUp?.();
    if (hangUpMs === 0) signalGroup(child.pid, 'SIGTERM');
    else signals.push(setTimeout(() => signalGroup(child.pid, 'SIGTERM'), hangUpMs));
    signals.push(setTimeout(() => signalGroup(child.pid, 'SIGKILL'), hangUpMs + graceMs));
  }

  const onAbort = () => end();
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    exit,
    get overdue() {
      return overdue;
    },
    limit(name, ms, why) {
      clearTimeout(limits.get(name));
      const onEnd = () => {
        overdue = why;
        end();
      };
      limits.set(name, setTimeout(onEnd, ms));
    },
    lift: (name) => clearTimeout(limits.get(name)),
    end,
    async gone() {
      for (const limit of limits.values()) clearTimeout(limit);
      signal?.removeEventListener('abort', onAbort);
      await exit.catch(() => undefined);
      for (const timer of signals) clearTimeout(timer);
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
  };
}

function exitOf(child: ChildProcess): Promise<number> {
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
function signalGroup(pid: number | undefined, signalName: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signalName);
  } catch {
    // The group is gone already.
  }
}
