/**
 * The certificates of a kubeadm node's etcd member, which hold its address. kubeadm itself renews them on the node,
 * signed by the authority there.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { stringify } from 'yaml';
import type { ClusterNode } from '../../../domain/configuration/nodes.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { ETCD_PKI, KUBERNETES_DIRECTORY } from '../../../domain/flavours/kubeadm.ts';
import { asideName } from '../../../domain/node-paths.ts';
import type { Host } from '../../hosts/host.ts';
import { runOn } from '../../hosts/run-on.ts';

/** kubeadm's names of the certificates that other members and clients check against the member's address. */
const CERTIFICATES = ['server', 'peer'] as const;
/** The files that are moved aside when the certificates are renewed. */
export const CERTIFICATE_FILES = filesOf(CERTIFICATES);
const KUBEADM_MS = 60_000;

/** The certificates that are missing or don't hold the member's address. */
export async function unfitCertificates(node: ClusterNode, host: Host, signal: AbortSignal): Promise<string[]> {
  const address = addressOf(node);
  const found = await Promise.all(
    CERTIFICATES.map(async (name) => {
      const text = await host.readText(join(ETCD_PKI, `${name}.crt`), signal);
      return text !== undefined && holds(text, address) ? [] : [name];
    }),
  );
  return found.flat();
}

/**
 * Checks that kubeadm can renew them on this node.
 * @throws SalvorError `UnsafeState`, with what to do by hand
 */
export async function refuseUnmakable(
  node: ClusterNode,
  host: Host,
  names: string[],
  signal: AbortSignal,
): Promise<void> {
  if (names.length === 0) return;
  const authority = join(ETCD_PKI, 'ca.key');
  const lacking = [
    ...((await host.typeOf(authority, signal)) === undefined ? [`${authority} does not exist`] : []),
    ...(isIP(addressOf(node)) === 0 ? [`the peer URL's host, ${addressOf(node)}, is not an IP address`] : []),
    ...((await kubeadmVersion(host, signal)) === undefined ? ['kubeadm is not on the PATH'] : []),
  ];
  if (lacking.length === 0) return;
  throw new SalvorError(
    'UnsafeState',
    `${node.name}: etcd's certificates ${names.map((name) => join(ETCD_PKI, `${name}.crt`)).join(' and ')} don't hold ${addressOf(node)}, and can't be renewed: ${lacking.join('; ')}. ` +
      `Put certificates there that hold it, signed by ${join(ETCD_PKI, 'ca.crt')}, then replace the member`,
  );
}

/**
 * Moves the unfit certificates aside and lets kubeadm renew them. A repetition makes only what is missing.
 * @returns the paths of the old ones
 */
export async function remakeCertificates(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<string[]> {
  const unfit = await unfitCertificates(node, host, signal);
  for (const file of filesOf(unfit)) {
    if ((await host.typeOf(file, signal)) !== undefined) await host.rename(file, asideName(file, operationId), signal);
  }
  if (unfit.length > 0) await runKubeadm(node, host, operationId, unfit, signal);
  const every = CERTIFICATE_FILES.map((file) => asideName(file, operationId));
  const present = await Promise.all(
    every.map(async (file) => ((await host.typeOf(file, signal)) === undefined ? [] : [file])),
  );
  return present.flat();
}

function filesOf(names: readonly string[]): string[] {
  return names.flatMap((name) => [`${name}.crt`, `${name}.key`]).map((name) => join(ETCD_PKI, name));
}

async function runKubeadm(
  node: ClusterNode,
  host: Host,
  operationId: string,
  names: string[],
  signal: AbortSignal,
): Promise<void> {
  const version = await kubeadmVersion(host, signal);
  const file = join(KUBERNETES_DIRECTORY, `kubeadm.salvor-${operationId}.yaml`);
  const apiVersion = `kubeadm.k8s.io/${Number(/^v1\.(\d+)/.exec(version ?? '')?.[1] ?? 0) < 31 ? 'v1beta3' : 'v1beta4'}`;
  const documents = [
    {
      apiVersion,
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: addressOf(node) },
      nodeRegistration: { name: node.etcd.memberName },
    },
    { apiVersion, kind: 'ClusterConfiguration', kubernetesVersion: version },
  ];
  const text = documents.map((document) => stringify(document)).join('---\n');
  await host.write(file, Readable.from([Buffer.from(text)]), { mode: 0o600, signal });
  for (const name of names) {
    const argv = ['kubeadm', 'init', 'phase', 'certs', `etcd-${name}`, '--config', file] as const;
    await runOn(host, argv, signal, { timeoutMs: KUBEADM_MS });
  }
  await host.removeOwn(file, signal);
  const left = await unfitCertificates(node, host, signal);
  if (left.length === 0) return;
  throw new SalvorError(
    'UnsafeState',
    `${host.name}: kubeadm has renewed etcd's certificates, but ${left.join(' and ')} still do not hold ${addressOf(node)}`,
  );
}

async function kubeadmVersion(host: Host, signal: AbortSignal): Promise<string | undefined> {
  try {
    return /^v\d+\.\d+\.\d+\S*/.exec(
      (await host.run(['kubeadm', 'version', '--output', 'short'], { signal })).stdout,
    )?.[0];
  } catch (error) {
    if (error instanceof SalvorError && error.type === 'ToolMissing') return undefined;
    throw error;
  }
}

function addressOf({ etcd }: ClusterNode): string {
  return new URL(etcd.peerUrl).hostname.replace(/^\[|\]$/g, '');
}

function holds(pem: string, address: string): boolean {
  try {
    const certificate = new X509Certificate(pem);
    return (isIP(address) === 0 ? certificate.checkHost(address) : certificate.checkIP(address)) !== undefined;
  } catch {
    return false;
  }
}
