/** Starts and kills the worker of a kill matrix. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { environment } from '../../../adapters/environment.ts';
import { FAIL, GO, toldSchema } from './messages.ts';
import type { MeasuredCall, Point } from './points.ts';

export interface ChildWorker {
  /** Resolves when the point is reached. */
  reached: Promise<void>;
  /** What the worker has done so far. */
  calls: MeasuredCall[];
  goOn: () => void;
  /** Makes the activity that has reached the point fail. */
  fail: () => void;
  /** Sends SIGKILL; resolves when the worker is gone. */
  kill: () => Promise<void>;
}

export interface WorkerPlace {
  temporalAddress: string;
  configFile: string;
}

/** Starts the worker; resolves when it polls. */
export async function startChildWorker(place: WorkerPlace, point?: Point): Promise<ChildWorker> {
  const child = fork(fileURLToPath(new URL('matrix-worker.ts', import.meta.url)), {
    env: {
      ...environment(),
      TEMPORAL_ADDRESS: place.temporalAddress,
      SALVOR_CONFIG: place.configFile,
      ...(point && { SALVOR_MATRIX_POINT: JSON.stringify(point) }),
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ready = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const calls: MeasuredCall[] = [];
  child.on('message', (message) => {
    const told = toldSchema.parse(message);
    if (told.type === 'ready') ready.resolve();
    else if (told.type === 'reached') reached.resolve();
    else calls.push({ activity: told.activity, place: told.place, durationMs: told.durationMs });
  });
  const ended = once(child, 'exit');
  await Promise.race([ready.promise, ended.then(() => Promise.reject(new Error('the worker ended before it polled')))]);
  return {
    reached: reached.promise,
    calls,
    goOn: () => void (child.connected && child.send(GO)),
    fail: () => void child.send(FAIL),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
