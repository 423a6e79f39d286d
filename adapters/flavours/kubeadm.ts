/** What the files of a kubeadm node tell. */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { SalvorError } from '../../domain/errors.ts';
import type { Settling } from '../../domain/backups/settled.ts';
import type { Host } from '../hosts/host.ts';

export const KUBERNETES_DIRECTORY = '/etc/kubernetes';

/** Where the manifest of a static pod lies: `place`, where the kubelet runs it, or `aside`, while it is stopped. */
export function manifestPaths(
  name: string,
  directory: string = KUBERNETES_DIRECTORY,
): { place: string; aside: string } {
  return {
    place: join(directory, 'manifests', `${name}.yaml`),
    aside: join(directory, 'salvor-stopped', `${name}.yaml`),
  };
}

const podSchema = z.object({
  spec: z.object({
    containers: z.array(
      z.object({
        command: z.array(z.string()).default([]),
        args: z.array(z.string()).default([]),
        volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })).default([]),
      }),
    ),
    volumes: z.array(z.object({ name: z.string(), hostPath: z.object({ path: z.string() }).optional() })).default([]),
  }),
});

const ENCRYPTION_FLAG = '--encryption-provider-config=';

/**
 * Where on the node the configuration of the encryption at rest lies, as the kube-apiserver's static pod says; undefined when it names none.
 * @param manifest the text of `kube-apiserver.yaml`
 * @throws SalvorError `UnsafeState` for what is no static pod
 */
export function encryptionConfigurationPath(manifest: string, where: string): string | undefined {
  const pod = podSchema.safeParse(parsed(manifest));
  if (!pod.success) {
    throw new SalvorError('UnsafeState', `${where} is not the manifest of a static pod; look at it on the node`);
  }
  const { containers, volumes } = pod.data.spec;
  for (const { command, args, volumeMounts } of containers) {
    const inPod = [...command, ...args].find((word) => word.startsWith(ENCRYPTION_FLAG))?.slice(ENCRYPTION_FLAG.length);
    if (inPod === undefined) continue;
    const mount = volumeMounts
      .filter(({ mountPath }) => isBelow(inPod, mountPath))
      .sort((a, b) => b.mountPath.length - a.mountPath.length)[0];
    const onNode = volumes.find(({ name }) => name === mount?.name)?.hostPath?.path;
    return mount && onNode !== undefined ? join(onNode, inPod.slice(mount.mountPath.length)) : inPod;
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether a path is another one, or lies below it. */
export function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

/** The manifest of etcd, wherever it lies; undefined on a node that has none. */
export async function findEtcdManifest(
  host: Host,
  signal: AbortSignal,
): Promise<{ path: string; text: string } | undefined> {
  const { place, aside } = manifestPaths('etcd');
  for (const path of [aside, place]) {
    const text = await host.readText(path, signal);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

/**
 * How old the node's certificates are and when its static pods were changed last.
 * @throws SalvorError what the host throws
 */
export async function readSettling(
  host: Host,
  signal: AbortSignal,
  directory: string = KUBERNETES_DIRECTORY,
): Promise<Settling> {
  const changes = await Promise.all(
    (await filesOf(host, join(directory, 'manifests'), '.yaml', signal)).map(async (path) => ({
      path,
      changedAt: await changedAt(host, path, signal),
    })),
  );
  const [lastChange = null] = changes.sort((a, b) => (a.changedAt < b.changedAt ? 1 : -1));
  return { installedAt: await earliestCertificate(host, join(directory, 'pki'), signal), lastChange };
}

async function earliestCertificate(host: Host, directory: string, signal: AbortSignal): Promise<string | null> {
  const texts = await Promise.all(
    (await filesOf(host, directory, '.crt', signal)).map(async (path) => await host.readText(path, signal)),
  );
  const times = texts.flatMap((text) => (text === undefined ? [] : validFrom(text)));
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString();
}

/** What is no certificate says nothing of the cluster's age. */
function validFrom(pem: string): number[] {
  try {
    return [new X509Certificate(pem).validFromDate.getTime()];
  } catch {
    return [];
  }
}

async function filesOf(host: Host, directory: string, suffix: string, signal: AbortSignal): Promise<string[]> {
  if ((await host.typeOf(directory, signal)) !== 'directory') return [];
  const entries = await host.list(directory, signal);
  return entries.filter(({ name }) => name.endsWith(suffix)).map(({ name }) => join(directory, name));
}

async function changedAt(host: Host, path: string, signal: AbortSignal): Promise<string> {
  const { stdout, stderr } = await host.run(['stat', '-c', '%Y', '--', path], { signal });
  const seconds = /^(\d+)\n$/.exec(stdout)?.[1];
  if (seconds !== undefined) return new Date(Number(seconds) * 1_000).toISOString();
  throw new SalvorError(
    'CommandFailed',
    `${host.name}: \`stat\` does not tell when ${path} was changed: ${stderr.trim()}`,
  );
}
