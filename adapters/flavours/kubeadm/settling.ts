/** What a kubeadm node's files show of its age and of the last change to its static pods. */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Settling } from '../../../domain/backups/settled.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { KUBERNETES_DIRECTORY } from '../../../domain/flavours/kubeadm.ts';
import type { Host } from '../../hosts/host.ts';

/**
 * How old the node's certificates are and when its static pods last changed.
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

/** A file that is not a certificate says nothing about the cluster's age. */
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
    `${host.name}: \`stat\` did not say when ${path} was changed: ${stderr.trim()}`,
  );
}
