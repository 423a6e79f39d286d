/**
 * What the two ways to reach a member (etcd3 and the raw Snapshot RPC) share: its address, credentials and channel
 * options.
 */
import { readFile } from 'node:fs/promises';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import type { MemberEndpoint, Pem } from './member.ts';

export interface Credentials {
  channel: ChannelCredentials;
  /** The PEM files' contents; absent for plain HTTP, and for the system's own certificate authorities. */
  pem?: { rootCertificate: Buffer; certChain: Buffer; privateKey: Buffer };
}

export const CHANNEL_OPTIONS = {
  // A proxy that the machine uses for the internet must not intercept connections to etcd.
  'grpc.enable_http_proxy': 0,
  // With the defaults, minutes pass before a member that came back is tried again.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // Otherwise the clients of one process share connections, including failed ones.
  'grpc.use_local_subchannel_pool': 1,
} as const satisfies ChannelOptions;

/** Host and port, as gRPC wants them; without a port, etcd's own: 2379. */
export function addressOf(clientUrl: string): string {
  const address = clientUrl.replace(/^https?:\/\//, '');
  return /:\d+$/.test(address) ? address : `${address}:2379`;
}

/**
 * Reads the certificates each time, so renewed ones are used.
 * @throws SalvorError `InvalidConfiguration` for a file that can't be read or isn't what it should be
 */
export async function loadCredentials({ clientUrl, tls, readTls, node }: MemberEndpoint): Promise<Credentials> {
  if (!clientUrl.startsWith('https://')) return { channel: credentials.createInsecure() };
  const read = tls === undefined ? readTls : async () => await readFiles(tls, node);
  if (read === undefined) return { channel: credentials.createSsl() };
  const { ca, cert, key, where } = await read();
  try {
    const channel = credentials.createSsl(ca, key, cert);
    return { channel, pem: { rootCertificate: ca, certChain: cert, privateKey: key } };
  } catch (error) {
    throw new SalvorError(
      'InvalidConfiguration',
      `the etcd certificates for node ${node} can't be used (${where}): ${messageOf(error)}; ` +
        'expected PEM files, and the key that belongs to the certificate',
      { cause: error },
    );
  }
}

async function readFiles(tls: { ca: string; cert: string; key: string }, node: string): Promise<Pem> {
  const [ca, cert, key] = await Promise.all([
    readPem(tls.ca, 'certificate authority', node),
    readPem(tls.cert, 'client certificate', node),
    readPem(tls.key, 'client key', node),
  ]);
  return { ca, cert, key, where: `${tls.ca}, ${tls.cert}, ${tls.key}` };
}

async function readPem(path: string, what: string, node: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new SalvorError(
      'InvalidConfiguration',
      `can't read the etcd ${what} for node ${node} at ${path}: ${messageOf(error)}; correct etcd.tls in the configuration, or the file's permissions`,
      { cause: error },
    );
  }
}
