/** One request to a scratch kube-apiserver on the worker. */
import { request } from 'node:https';

const TIMEOUT_MS = 60_000;

export interface AskOptions {
  token: string;
  signal: AbortSignal;
  /** Only the objects' metadata is sent; the server reads and decodes the whole objects all the same. */
  metadataOnly?: boolean;
}

const JSON_TYPE = 'application/json';
const METADATA_TYPE = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/**
 * The answer to a GET. The scratch server has just made its own certificate on this machine, so it isn't checked.
 * @throws what the connection threw
 */
export async function askApiServer(
  url: string,
  { token, signal, metadataOnly = false }: AskOptions,
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const outgoing = request(url, {
    headers: { authorization: `Bearer ${token}`, accept: metadataOnly ? METADATA_TYPE : JSON_TYPE },
    rejectUnauthorized: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  outgoing.once('error', reject);
  outgoing.once('response', (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('error', reject);
    incoming.once('end', () => {
      resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
    });
  });
  outgoing.end();
  return await promise;
}
