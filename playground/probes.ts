/** Whether a part answers. A failing probe says no; it never throws. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { z } from 'zod';

const TIMEOUT_MS = 2_000;

export interface TlsFiles {
  ca: string;
  cert?: string;
  key?: string;
}

/** Whether a URL answers 200 within 2 s. */
export async function answersHttps(url: string, tls: TlsFiles): Promise<boolean> {
  try {
    const read = async (file?: string): Promise<Buffer | undefined> => (file ? readFile(file) : undefined);
    const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.cert), read(tls.key)]);
    return await new Promise<boolean>((resolve, reject) => {
      const sent = request(url, { ca, cert, key, agent: false, timeout: TIMEOUT_MS }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode === 200));
        response.once('error', reject);
      });
      sent.once('timeout', () => sent.destroy(new Error('timeout')));
      sent.once('error', reject);
      sent.end();
    });
  } catch {
    return false;
  }
}

/** Whether a URL answers 200 within 2 s. */
export async function answersHttp(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

const pollersSchema = z.object({ pollers: z.array(z.object({ lastAccessTime: z.iso.datetime() })).optional() });

/** Whether a worker that was started after `sinceMs` polls a task queue: earlier pollers are listed for minutes. */
export async function isPolled(temporalUiUrl: string, taskQueue: string, sinceMs: number): Promise<boolean> {
  const url = `${temporalUiUrl}/api/v1/namespaces/default/task-queues/${taskQueue}?taskQueueType=TASK_QUEUE_TYPE_WORKFLOW`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { pollers = [] } = pollersSchema.parse(await response.json());
    return pollers.some(({ lastAccessTime }) => Date.parse(lastAccessTime) >= sinceMs);
  } catch {
    return false;
  }
}
