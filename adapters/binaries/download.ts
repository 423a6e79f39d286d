/** Downloads over HTTP(S), through the environment's proxy if there is one. An unreachable host fails quickly. */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../../domain/errors.ts';
import { formatBytes } from '../../domain/units.ts';
import { environment } from '../environment.ts';

const CONNECT_TIMEOUT_MS = 3_000;
/** A transfer that receives no byte for this long counts as broken. */
const IDLE_TIMEOUT_MS = 30_000;
const REPORT_EVERY_MS = 2_000;
const REDIRECTS = 5;

/** Hosts that could not be reached: this process does not try them again. */
const unreachable = new Map<string, string>();
const agents = {
  http: new HttpAgent({ proxyEnv: environment() }),
  https: new HttpsAgent({ proxyEnv: environment() }),
};

/** A download that failed, for whatever reason; the message names the URL. */
export class DownloadError extends Error {
  constructor(url: string, why: string, options?: ErrorOptions) {
    super(`${url}: ${why}`, options);
    this.name = 'DownloadError';
  }
}

/** Fetches a small text. @throws DownloadError */
export async function fetchText(url: string, signal: AbortSignal | undefined): Promise<string> {
  const response = await get(url, signal);
  try {
    return await text(response);
  } catch (error) {
    throw brokenOff(url, error, signal);
  }
}

/**
 * Fetches into a file, which is removed if the transfer breaks off.
 * @param report called with the progress, in bytes and percent
 * @throws DownloadError
 */
export async function fetchFile(
  url: string,
  file: string,
  { report, signal }: { report: (line: string) => void; signal?: AbortSignal | undefined },
): Promise<void> {
  const response = await get(url, signal);
  const totalBytes = Number(response.headers['content-length'] ?? NaN);
  let bytes = 0;
  let reportedAt = performance.now();
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (performance.now() - reportedAt < REPORT_EVERY_MS) return;
    reportedAt = performance.now();
    report(describeProgress(bytes, totalBytes));
  });
  try {
    await pipeline(response, createWriteStream(file));
  } catch (error) {
    await rm(file, { force: true });
    const got = `after ${bytes}${Number.isNaN(totalBytes) ? '' : ` of ${totalBytes}`} bytes`;
    throw brokenOff(url, error, signal, got);
  }
  report(describeProgress(bytes, totalBytes));
}

/** `11.8 MiB of 43.5 MiB (27 %)`; without the total if it isn't known. */
export function describeProgress(bytes: number, totalBytes: number): string {
  if (Number.isNaN(totalBytes) || totalBytes === 0) return formatBytes(bytes);
  return `${formatBytes(bytes)} of ${formatBytes(totalBytes)} (${Math.floor((bytes / totalBytes) * 100)} %)`;
}

async function get(url: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  let at = url;
  for (let redirects = 0; redirects <= REDIRECTS; redirects++) {
    const response = await ask(at, signal);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return response;
    response.destroy();
    if (statusCode < 300 || statusCode > 399 || headers.location === undefined) {
      throw new DownloadError(at, `answered ${statusCode} ${response.statusMessage ?? ''}`.trim());
    }
    at = new URL(headers.location, at).href;
  }
  throw new DownloadError(url, `more than ${REDIRECTS} redirects`);
}

async function ask(url: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  signal?.throwIfAborted();
  const target = new URL(url);
  const before = unreachable.get(target.host);
  if (before !== undefined) throw new DownloadError(url, before);
  try {
    return await answerOf(target, signal);
  } catch (error) {
    signal?.throwIfAborted();
    const why = `could not be reached (${messageOf(error)})`;
    unreachable.set(target.host, why);
    throw new DownloadError(url, why, { cause: error });
  }
}

function answerOf(target: URL, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // The timeout covers the connection, including a proxy's tunnel. Once connected, the longer timeout of an idle
    // transfer applies.
    const options = { timeout: CONNECT_TIMEOUT_MS, ...(signal ? { signal } : {}) };
    const request =
      target.protocol === 'https:'
        ? httpsRequest(target, { agent: agents.https, ...options })
        : httpRequest(target, { agent: agents.http, ...options });
    let timeoutMs = CONNECT_TIMEOUT_MS;
    function connected(): void {
      timeoutMs = IDLE_TIMEOUT_MS;
      request.setTimeout(timeoutMs);
    }
    request.on('timeout', () => {
      const error = new Error(`nothing arrived for ${timeoutMs / 1_000} s`);
      // While a tunnel is being made, destroying the request reports no error.
      reject(error);
      request.destroy(error);
    });
    request.once('socket', (socket) => {
      if (socket.connecting) socket.once(target.protocol === 'https:' ? 'secureConnect' : 'connect', connected);
      else connected();
    });
    request.once('error', reject);
    request.once('response', resolve);
    request.end();
  });
}

function brokenOff(url: string, error: unknown, signal: AbortSignal | undefined, got = ''): DownloadError {
  signal?.throwIfAborted();
  return new DownloadError(url, `the transfer broke off ${got} (${messageOf(error)})`, { cause: error });
}
