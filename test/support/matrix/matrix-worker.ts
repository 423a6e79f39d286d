/**
 * A worker with the real activities that reports when it reaches a chosen point, and stops there until it is told to
 * continue. SALVOR_MATRIX_POINT is the point as JSON, or empty; SALVOR_CONFIG and Temporal's variables are as for any
 * worker.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { Client, Connection } from '@temporalio/client';
import { TASK_QUEUE } from '../../../domain/operations/common.ts';
import { environmentVariable } from '../../../adapters/environment.ts';
import { createActivities } from '../../../activities/index.ts';
import { quietRuntime, testBundle } from '../temporal.ts';
import { FAIL, pointSchema, type Told } from './messages.ts';

const address = environmentVariable('TEMPORAL_ADDRESS') ?? '';
const chosen = environmentVariable('SALVOR_MATRIX_POINT');
const point = chosen === undefined ? undefined : pointSchema.parse(JSON.parse(chosen));
let isHit = false;

function say(message: Told): void {
  process.send?.(message);
}

async function reached(waits: boolean): Promise<void> {
  isHit = true;
  const { promise, resolve } = Promise.withResolvers<unknown>();
  process.once('message', resolve);
  say({ type: 'reached' });
  if (waits && (await promise) === FAIL) throw ApplicationFailure.nonRetryable('as the matrix wants it', 'UnsafeState');
}

type Activity = (input: { node?: string; store?: string }) => Promise<unknown>;

function watched(activity: string, act: Activity): Activity {
  return async (input) => {
    const place = input.node ?? input.store ?? null;
    const isPoint = point?.activity === activity && (point.place === null || point.place === place);
    const beganAt = performance.now();
    if (isPoint && !isHit && point.phase === 'before') await reached(true);
    const acting = act(input);
    if (isPoint && !isHit && point.phase === 'in') {
      // The activity itself reports failures meanwhile.
      await Promise.race([delay(point.delayMs), acting.catch(() => undefined)]);
      if (!isHit) await reached(false);
    }
    const result = await acting;
    say({ type: 'called', activity, place, durationMs: performance.now() - beganAt });
    if (isPoint && !isHit && point.phase === 'after') await reached(true);
    return result;
  };
}

quietRuntime();
const connection = await Connection.connect({ address });
const activities = Object.entries(
  createActivities(environmentVariable('SALVOR_CONFIG') ?? '', new Client({ connection })),
);
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue: TASK_QUEUE,
  workflowBundle: await testBundle(),
  activities: Object.fromEntries(activities.map(([name, act]) => [name, watched(name, act as Activity)])),
  maxHeartbeatThrottleInterval: '1s',
  stickyQueueScheduleToStartTimeout: '2s',
});
const running = worker.run();
say({ type: 'ready' });
process.once('disconnect', () => process.exit(0));
await running;
