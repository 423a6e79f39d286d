/** One request to a scratch kube-apiserver of the worker's own. */
import { request } from 'node:https';
import { SalvorError } from '../../domain/errors.ts';

const TIMEOUT_MS = 60_000;

/**
 * The body of a GET. The certificate is one that the scratch server made for itself a moment ago on this machine, so it isn't checked.
 * @throws SalvorError `BackupCorrupt` for any other answer than 200: what can't be read can't be served
 */
export async function askApiServer(url: string, token: string, path: string, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const outgoing = request(`${url}${path}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    rejectUnauthorized: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  outgoing.once('error', reject);
  outgoing.once('response', (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('error', reject);
    incoming.once('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      if (incoming.statusCode === 200) return resolve(body);
      reject(
        new SalvorError(
          'BackupCorrupt',
          `kube-apiserver on the restored data answers GET ${path} with HTTP ${incoming.statusCode ?? 0}: ${body.slice(0, 500)}`,
        ),
      );
    });
  });
  outgoing.end();
  return await promise;
}
