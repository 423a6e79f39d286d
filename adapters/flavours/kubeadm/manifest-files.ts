/** The places of the manifests of a node's static pods. */
import { join } from 'node:path';
import { KUBERNETES_DIRECTORY } from '../../../domain/flavours/kubeadm.ts';
import type { Host } from '../../hosts/host.ts';
import type { MemberFile } from '../flavour.ts';

/** The two places of a static pod's manifest: `place`, where the kubelet runs it, or `aside`, while it is stopped. */
export function manifestPaths(
  name: string,
  directory: string = KUBERNETES_DIRECTORY,
): { place: string; aside: string } {
  return {
    place: join(directory, 'manifests', `${name}.yaml`),
    aside: join(directory, 'salvor-stopped', `${name}.yaml`),
  };
}

/** The manifest of etcd, in either place; undefined on a node that has none. */
export async function findEtcdManifest(host: Host, signal: AbortSignal): Promise<MemberFile | undefined> {
  const { place, aside } = manifestPaths('etcd');
  for (const path of [aside, place]) {
    const text = await host.readText(path, signal);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}
