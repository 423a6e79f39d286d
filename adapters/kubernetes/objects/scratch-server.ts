/** A kube-apiserver on a scratch etcd, on this machine, for as long as a drill reads through it. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SalvorError } from '../../../domain/errors.ts';
import { provideTool } from '../../binaries/binaries.ts';
import { environment } from '../../environment.ts';
import { type ScratchProcess, startScratchProcess } from '../../scratch/process.ts';
import { askApiServer } from '../api/ask.ts';

const START_MS = 120_000;

export interface ScratchApiServer {
  url: string;
  token: string;
  version: string;
  /** Its log so far. */
  log: () => Promise<string>;
  stop: () => Promise<void>;
}

export interface ScratchApiServerOptions {
  etcdUrl: string;
  /** An empty folder for its keys and certificates; its log is next to it. */
  directory: string;
  /** The prefix of the objects in etcd, for example `/registry`. */
  registryPrefix: string;
  /** Called with the log while the server isn't ready; an error from it ends the wait. */
  onWaiting: (log: string) => void;
  signal: AbortSignal;
}

/**
 * Starts kube-apiserver on a loopback port and returns when it is ready; only callers with its token are served.
 * @throws SalvorError `ToolMissing`, or `ComponentStuck` with the last lines of its log
 */
export async function startScratchApiServer(options: ScratchApiServerOptions): Promise<ScratchApiServer> {
  const { etcdUrl, directory, registryPrefix, onWaiting, signal } = options;
  const { path, version } = await provideTool('kube-apiserver', { build: false, signal });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const token = randomBytes(24).toString('hex');
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const file = async (name: string, text: string) => {
    await writeFile(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const signingKey = await file('service-account.key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const verifyingKey = await file('service-account.pub', publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const tokens = await file('tokens.csv', `${token},salvor-drill,salvor-drill,system:masters\n`);
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const ready = async (process: ScratchProcess) => {
    try {
      const { status } = await askApiServer(`${url}/readyz`, { token, signal });
      if (status === 200) return true;
    } catch {
      signal.throwIfAborted();
    }
    onWaiting(await process.log());
    return undefined;
  };
  const { process } = await startScratchProcess({
    name: 'the scratch kube-apiserver',
    argv: [
      path,
      `--etcd-servers=${etcdUrl}`,
      `--etcd-prefix=${registryPrefix}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(directory, 'certificates')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${signingKey}`,
      `--service-account-key-file=${verifyingKey}`,
      `--token-auth-file=${tokens}`,
      '--anonymous-auth=false',
      '--authorization-mode=AlwaysAllow',
      '--service-cluster-ip-range=10.96.0.0/12',
      // Every list reads etcd itself, and the caller gets the error for an unreadable object.
      '--watch-cache=false',
      // Only the drill reads it: it needs no leases of its own, and no admission webhooks of the original cluster.
      '--endpoint-reconciler-type=none',
      '--disable-admission-plugins=MutatingAdmissionWebhook,ValidatingAdmissionWebhook',
    ],
    env: environment(),
    place: join(directory, '..', 'kube-apiserver'),
    deadlineMs: START_MS,
    signal,
    ready,
  });
  return { url, token, version, log: process.log, stop: process.stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string')
    throw new SalvorError('UnsafeState', 'this worker has no free port');
  return address.port;
}
