/** A real Temporal dev server for tests, and a worker with the real workflows and whatever activities a test gives. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, defineSearchAttributeKey } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../../domain/operations/common.ts';
import { provideTool } from '../../adapters/binaries/binaries.ts';
import { environmentVariable } from '../../adapters/environment.ts';
import { bundleWorkflows } from '../../workers/bundle.ts';

export const HISTORIES = new URL('../workflow/histories/', import.meta.url);

let bundle: Promise<WorkflowBundle> | undefined;

/** The workflows, bundled once per test process. */
export async function testBundle(): Promise<WorkflowBundle> {
  bundle ??= bundleWorkflows();
  return await bundle;
}

/** A server; its first use starts a worker, which ends with it. */
export async function startTemporal(): Promise<TestWorkflowEnvironment> {
  quietRuntime();
  const { path } = await provideTool('temporal');
  const temporal = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      searchAttributes: Object.values(SEARCH_ATTRIBUTES).map((name) => defineSearchAttributeKey(name, 'KEYWORD')),
      log: { format: 'pretty', level: 'error' },
    },
  });
  const teardown = temporal.teardown.bind(temporal);
  temporal.teardown = async () => {
    const worker = await workers.get(temporal);
    worker?.stop();
    await worker?.running;
    await teardown();
  };
  return temporal;
}

interface SharedWorker {
  /** The activities of the current test. */
  activities: Readonly<Record<string, unknown>>;
  taskQueue: string;
  stop: () => void;
  running: Promise<void>;
}

/** One worker for each server, because a worker takes half a second to start. */
const workers = new WeakMap<TestWorkflowEnvironment, Promise<SharedWorker>>();

/**
 * Hosts the real workflows with the given activities while `work` runs, one call after another. A workflow that
 * outlives its `work` gets the activities of the next call.
 */
export async function withWorker<T>(
  temporal: TestWorkflowEnvironment,
  activities: object,
  work: (taskQueue: string) => Promise<T>,
): Promise<T> {
  const started = workers.get(temporal) ?? startWorker(temporal);
  workers.set(temporal, started);
  const worker = await started;
  worker.activities = { ...activities };
  return await Promise.race([
    work(worker.taskQueue),
    worker.running.then(() => Promise.reject(new Error('the worker ended'))),
  ]);
}

async function startWorker(temporal: TestWorkflowEnvironment): Promise<SharedWorker> {
  const taskQueue = `test-${Math.random().toString(36).slice(2)}`;
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    taskQueue,
    workflowBundle: await testBundle(),
    activities: {
      default: async (...input: unknown[]) => {
        const { activityType } = activityInfo();
        const activity = shared.activities[activityType];
        if (typeof activity !== 'function')
          throw ApplicationFailure.nonRetryable(`the test has no activity ${activityType}`);
        return (await activity(...input)) as unknown;
      },
    },
  });
  const running = worker.run();
  const shared: SharedWorker = { activities: {}, taskQueue, stop: () => worker.shutdown(), running };
  running.catch(() => undefined);
  return shared;
}

/**
 * If SALVOR_RECORD_HISTORIES is set, saves the history of a workflow for the replay test, without this machine's names.
 */
export async function recordHistory(handle: WorkflowHandle, name: string): Promise<void> {
  if (environmentVariable('SALVOR_RECORD_HISTORIES') === undefined) return;
  const text = historyToJSON(await handle.fetchHistory())
    .replaceAll(fileURLToPath(new URL('../../', import.meta.url)), '/salvor/')
    .replaceAll(/"identity": "[^"]*"/g, '"identity": "worker"');
  await writeFile(new URL(`${name}.json`, HISTORIES), `${JSON.stringify(JSON.parse(text))}\n`);
}

/** Logs only problems. */
export function quietRuntime(): void {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
}
