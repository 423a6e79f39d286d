/**
 * A child process of the worker, in a group of its own, that ends when it should: after its time, on abort, and with
 * everything it started.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** Between the polite signal and the one that can't be refused. */
export const TERMINATE_MS = 3_000;
/**
 * How long output may still come after the command has ended. A daemon that it left behind may hold the pipes open
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
  /** How long it may take to end by `hangUp` alone. Default 0. */
  hangUpMs?: number;
}

export interface WatchedChild {
  /**
   * As in a shell: a signal counts as 128 and its number. When the outputs have ended too, or soon after the process
   * has. Rejects when it can't be run.
   */
  readonly exit: Promise<number>;
  /** Why a limit has ended it; undefined when none has. */
  readonly overdue: string | undefined;
  /** Sets a time after which it is ended, in place of the limit of the same name. */
  limit(name: string, ms: number, why: string): void;
  lift(name: string): void;
  /** Ends it with all that it started. */
  end(hangUpMs?: number): void;
  /** Returns when it is gone, with its limits and pipes. */
  gone(): Promise<void>;
}

/** Watches a child that was spawned with `detached`. Whoever watches it awaits `gone` at last. */
export function watchChild(child: ChildProcess, options: WatchOptions = {}): WatchedChild {
  const { signal, graceMs = TERMINATE_MS, hangUp, hangUpMs: patienceMs = 0 } = options;
  const limits = new Map<string, NodeJS.Timeout>();
  const signals: NodeJS.Timeout[] = [];
  let overdue: string | undefined;
  const exit = exitOf(child);
  // It is asked for only after the output has ended.
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
