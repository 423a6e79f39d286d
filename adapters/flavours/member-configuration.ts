/** Where a node's etcd takes its initial cluster from, and writing it anew for a member that joins. */
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import { withInitialCluster } from '../../domain/members/initial-cluster.ts';
import { asideName } from '../../domain/node-paths.ts';
import { joiningManifest } from './etcd-manifest.ts';
import { findEtcdManifest, manifestPaths } from './kubeadm.ts';
import type { Host } from '../hosts/host.ts';
import { lastLines } from '../hosts/tail.ts';
import { remakeCertificates } from './etcd-certificates.ts';

export interface MemberConfiguration {
  path: string;
  text: string;
}

/**
 * The file that a member's initial cluster stands in; undefined on a kubeadm node that has never had a member.
 * @throws SalvorError `InvalidConfiguration` when nothing says where it stands, `UnsafeState` when it isn't there
 */
export async function findConfiguration(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
): Promise<MemberConfiguration | undefined> {
  if (cluster.flavour === 'kubeadm') return await findEtcdManifest(host, signal);
  const path = node.etcd.configuration;
  if (path === undefined) {
    throw new SalvorError(
      'InvalidConfiguration',
      `${node.name}: nothing says where etcd's initial cluster is written, which a member that joins must be started with; name the file (a unit, an environment file, etcd's own file or a script) with etcd.configuration of the node`,
    );
  }
  const text = await host.readText(path, signal);
  if (text !== undefined) return { path, text };
  throw new SalvorError('UnsafeState', `${node.name}: there is no ${path}, which etcd.configuration of the node names`);
}

/**
 * The same file for a member that joins. Pure but for its name.
 * @throws SalvorError `UnsafeState` when it can't be written
 */
export function joiningText(
  cluster: Cluster,
  node: ClusterNode,
  { path, text }: MemberConfiguration,
  initialCluster: string,
): string {
  const where = `${node.name}: ${path}`;
  const { memberName, clientUrl, peerUrl } = node.etcd;
  if (cluster.flavour === 'kubeadm')
    return joiningManifest(text, { name: memberName, clientUrl, peerUrl, initialCluster }, where);
  return withInitialCluster(text, { cluster: initialCluster, state: 'existing' }, where);
}

/**
 * Writes what the member joins with; its etcd must be stopped. Run again, it changes nothing.
 * @returns what was moved aside
 */
export async function configureMember(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  { initialCluster, operationId }: { initialCluster: string; operationId: string },
  signal: AbortSignal,
): Promise<{ path: string; setAside: string[] }> {
  const found = await findConfiguration(cluster, node, host, signal);
  if (found === undefined)
    throw new SalvorError('UnsafeState', `${node.name}: the manifest of etcd is gone; it was there before`);
  const { path, text } = found;
  // Out of the kubelet's sight.
  const aside = asideName(cluster.flavour === 'kubeadm' ? manifestPaths('etcd').aside : path, operationId);
  const wanted = joiningText(cluster, node, found, initialCluster);
  if (wanted !== text) {
    // A copy, not a move: the file is never missing, and the first one kept is the one from before.
    if ((await host.typeOf(aside, signal)) === undefined) await copy(host, path, aside, signal);
    await writeLike(host, path, wanted, signal);
  }
  if (basename(node.etcd.service?.start[0] ?? '') === 'systemctl')
    await command(host, ['systemctl', 'daemon-reload'], signal);
  const certificates = cluster.flavour === 'kubeadm' ? await remakeCertificates(node, host, operationId, signal) : [];
  return { path, setAside: [...((await host.typeOf(aside, signal)) === undefined ? [] : [aside]), ...certificates] };
}

async function copy(host: Host, from: string, to: string, signal: AbortSignal): Promise<void> {
  await command(host, ['cp', '--preserve=mode,ownership,timestamps', '--no-target-directory', '--', from, to], signal);
}

/** Whole or not at all, for the same owner and with the same rights. */
async function writeLike(host: Host, path: string, text: string, signal: AbortSignal): Promise<void> {
  const { stdout } = await host.run(['stat', '-c', '%a %u:%g', '--', path], { signal });
  const [mode = '600', owner = ''] = stdout.trim().split(' ');
  await host.write(path, Readable.from([Buffer.from(text)]), { mode: Number.parseInt(mode, 8), signal });
  await command(host, ['chown', owner, '--', path], signal);
}

async function command(host: Host, argv: [string, ...string[]], signal: AbortSignal): Promise<void> {
  const { exitCode, stdout, stderr } = await host.run(argv, { signal });
  if (exitCode === 0) return;
  throw new SalvorError(
    'CommandFailed',
    `${host.name}: \`${argv.join(' ')}\` failed (exit code ${exitCode}): ${lastLines(stderr) || lastLines(stdout)}`,
  );
}
