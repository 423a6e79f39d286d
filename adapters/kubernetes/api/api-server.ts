/** Looks at one kube-apiserver from outside: no client library, no credentials. */
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { z } from 'zod';
import { messageOf, SalvorError } from '../../../domain/errors.ts';

const TIMEOUT_MS = 3_000;
const BODY_BYTES = 64 * 1024;

export interface LookOptions {
  /**
   * A PEM file of the worker. Without it the server's certificate is not checked: this only checks that the server is
   * alive, and sends no secrets.
   */
  ca?: string;
  signal: AbortSignal;
}

/**
 * Asks `/readyz`, which kube-apiserver answers to anyone, unless anonymous requests are turned off or have lost the
 * role `system:public-info-viewer`.
 * @returns whether it is ready, and what was seen: the answer, or why there was none
 * @throws SalvorError `InvalidConfiguration` when the certificate authority's file can't be read; the signal's reason
 * on abort
 */
export async function apiServerReady(url: string, options: LookOptions): Promise<{ ready: boolean; seen: string }> {
  const answer = await look(`${url}/readyz`, options);
  if ('failure' in answer) return { ready: false, seen: answer.failure };
  const { status, body } = answer;
  if (status === 200) return { ready: true, seen: body.trim() || 'ok' };
  // With anonymous requests turned off, nothing more can be seen: it answers, and it checks who asks.
  if (status === 401) return { ready: true, seen: 'answers, and refuses anonymous requests (HTTP 401)' };
  // Right after its start it forbids all requests until it has written its own first roles; this passes.
  return { ready: false, seen: `HTTP ${status}: ${lastFailures(body)}` };
}

const versionSchema = z.object({ gitVersion: z.string() });

/** The version, such as `v1.34.4`; undefined if the server doesn't report it. */
export async function apiServerVersion(url: string, options: LookOptions): Promise<string | undefined> {
  const answer = await look(`${url}/version`, options);
  if ('failure' in answer || answer.status !== 200) return undefined;
  try {
    return versionSchema.parse(JSON.parse(answer.body)).gitVersion;
  } catch {
    return undefined;
  }
}

/** Only the failed checks of the list. */
function lastFailures(body: string): string {
  const failed = body.split('\n').filter((line) => line.startsWith('[-]'));
  return (failed.length > 0 ? failed.join('; ') : body.trim()).slice(0, 500);
}

type Answer = { status: number; body: string } | { failure: string };

async function look(url: string, { ca, signal }: LookOptions): Promise<Answer> {
  const trusted = ca === undefined ? undefined : await readAuthority(ca);
  signal.throwIfAborted();
  const send = url.startsWith('https://') ? httpsRequest : httpRequest;
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const outgoing = send(url, {
    agent: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    ...(trusted === undefined ? { rejectUnauthorized: false } : { ca: trusted }),
  });
  outgoing.once('error', (error) => resolve({ failure: failureOf(error) }));
  outgoing.once('response', (incoming) => {
    let body = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (text: string) => {
      if (body.length < BODY_BYTES) body += text;
    });
    incoming.once('error', (error) => resolve({ failure: failureOf(error) }));
    incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body }));
  });
  outgoing.end();
  const answer = await promise;
  signal.throwIfAborted();
  return answer;
}

function failureOf(error: Error): string {
  return error.name === 'AbortError' ? `no answer within ${TIMEOUT_MS / 1_000} s` : messageOf(error) || error.name;
}

async function readAuthority(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new SalvorError(
      'InvalidConfiguration',
      `can't read kube-apiserver's certificate authority at ${path}: ${messageOf(error)}; correct apiServer.ca of the node`,
      { cause: error },
    );
  }
}
