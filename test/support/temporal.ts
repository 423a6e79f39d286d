/** A real Temporal dev server for tests, and a worker with the real workflows and whatever activities a test gives. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../../domain/operations.ts';
import { provideTool } from '../../tools/binaries.ts';
import { environmentVariable } from '../../tools/environment.ts';
import { bundleWorkflows } from '../../workers/bundle.ts';

export const HISTORIES = new URL('../workflow/histories/', import.meta.url);

let bundle: Promise<WorkflowBundle> | undefined;

/** The workflows, bundled once per test process. */
export async function testBundle(): Promise<WorkflowBundle> {
  bundle ??= bundleWorkflows();
  return await bundle;
}

export async function startTemporal(): Promise<TestWorkflowEnvironment> {
  quietRuntime();
  const { path } = await provideTool('temporal');
  return await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      searchAttributes: Object.values(SEARCH_ATTRIBUTES).map((name) => defineSearchAttributeKey(name, 'KEYWORD')),
      log: { format: 'pretty', level: 'error' },
    },
  });
}

/** Hosts the real workflows with the given activities while `work` runs. */
export async function withWorker<T>(
  temporal: TestWorkflowEnvironment,
  activities: object,
  work: (taskQueue: string) => Promise<T>,
): Promise<T> {
  const taskQueue = `test-${Math.random().toString(36).slice(2)}`;
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    taskQueue,
    workflowBundle: await testBundle(),
    activities,
  });
  return await worker.runUntil(async () => await work(taskQueue));
}

/** With SALVOR_RECORD_HISTORIES set, keeps the history of a workflow for the replay test, without this machine's own names. */
export async function recordHistory(handle: WorkflowHandle, name: string): Promise<void> {
  if (environmentVariable('SALVOR_RECORD_HISTORIES') === undefined) return;
  const text = historyToJSON(await handle.fetchHistory())
    .replaceAll(fileURLToPath(new URL('../../', import.meta.url)), '/salvor/')
    .replaceAll(/"identity": "[^"]*"/g, '"identity": "worker"');
  await writeFile(new URL(`${name}.json`, HISTORIES), `${JSON.stringify(JSON.parse(text))}\n`);
}

/** Only what goes wrong is said. */
export function quietRuntime(): void {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
}
