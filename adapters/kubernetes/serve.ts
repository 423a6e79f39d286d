/** Reads every Kubernetes object of a restored etcd through a real kube-apiserver, in scratch: what it lists, a cluster could serve. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { SalvorError } from '../../domain/errors.ts';
import { provideTool } from '../../tools/binaries.ts';
import { environment } from '../../tools/environment.ts';
import { startScratchProcess } from '../scratch-process.ts';
import { askApiServer } from './ask.ts';

const START_MS = 120_000;
const PAGE = 500;

export interface ScratchApiServer {
  url: string;
  token: string;
  stop(): Promise<void>;
}

/**
 * Starts kube-apiserver on a scratch etcd, on a loopback port, for whoever has its token.
 * @param directory an empty folder for its keys and log
 * @throws SalvorError `ToolMissing`, or `ComponentStuck` with the last lines of its log
 */
export async function startScratchApiServer(
  etcdUrl: string,
  directory: string,
  signal: AbortSignal,
): Promise<ScratchApiServer> {
  const { path } = await provideTool('kube-apiserver', { build: false });
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
  const { process } = await startScratchProcess({
    name: 'the scratch kube-apiserver',
    argv: [
      path,
      `--etcd-servers=${etcdUrl}`,
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
      // Nothing but the drill reads it: no leases of its own, no admission webhooks of the cluster it came from.
      '--endpoint-reconciler-type=none',
      '--disable-admission-plugins=MutatingAdmissionWebhook,ValidatingAdmissionWebhook',
    ],
    env: environment(),
    place: join(directory, '..', 'kube-apiserver'),
    deadlineMs: START_MS,
    signal,
    ready: async () => {
      try {
        await askApiServer(url, token, '/readyz', signal);
        return true;
      } catch {
        signal.throwIfAborted();
        return undefined;
      }
    },
  });
  return { url, token, stop: async () => await process.stop() };
}

const groupsSchema = z.object({
  groups: z.array(z.object({ preferredVersion: z.object({ groupVersion: z.string() }) })),
});
const resourcesSchema = z.object({
  resources: z.array(z.object({ name: z.string(), verbs: z.array(z.string()) })),
});
const pageSchema = z.object({
  metadata: z.object({ continue: z.string().optional() }),
  items: z.array(z.unknown()).nullable(),
});

export interface Served {
  types: number;
  objects: number;
  /** Objects of each type that has any, as in `apps/v1/deployments`. */
  counts: Record<string, number>;
}

/**
 * Lists every object of every type that the scratch kube-apiserver knows.
 * @throws SalvorError `BackupCorrupt` when a type can't be listed: an object in it can't be read
 */
export async function serveSnapshot(etcdUrl: string, directory: string, signal: AbortSignal): Promise<Served> {
  const server = await startScratchApiServer(etcdUrl, directory, signal);
  const ask = async (path: string) => JSON.parse(await askApiServer(server.url, server.token, path, signal)) as unknown;
  try {
    const groups = groupsSchema
      .parse(await ask('/apis'))
      .groups.map((group) => `/apis/${group.preferredVersion.groupVersion}`);
    const counts: Record<string, number> = {};
    let types = 0;
    for (const group of ['/api/v1', ...groups]) {
      const { resources } = resourcesSchema.parse(await ask(group));
      for (const { name } of resources.filter(({ verbs }) => verbs.includes('list'))) {
        types += 1;
        const count = await countObjects(ask, `${group}/${name}`);
        if (count > 0) counts[`${group.replace(/^\/apis?\//, '')}/${name}`] = count;
      }
    }
    return { types, counts, objects: Object.values(counts).reduce((sum, count) => sum + count, 0) };
  } finally {
    await server.stop();
  }
}

async function countObjects(ask: (path: string) => Promise<unknown>, path: string): Promise<number> {
  let count = 0;
  let next = '';
  do {
    const query = `limit=${PAGE}${next && `&continue=${encodeURIComponent(next)}`}`;
    const page = pageSchema.parse(await ask(`${path}?${query}`));
    count += page.items?.length ?? 0;
    next = page.metadata.continue ?? '';
  } while (next !== '');
  return count;
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
