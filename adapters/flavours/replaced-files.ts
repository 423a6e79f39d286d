/** The files of a node that a replacement writes anew: the old ones are moved or copied aside, and stay until they are cleaned up. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { CERTIFICATE_FILES } from './etcd-certificates.ts';
import { manifestPaths } from './kubeadm.ts';

/** Where each was: its name once it lies aside begins with this path. */
export function replacedFiles(cluster: Cluster, { etcd }: ClusterNode): string[] {
  // The manifest is kept out of the kubelet's sight.
  if (cluster.flavour === 'kubeadm') return [manifestPaths('etcd').aside, ...CERTIFICATE_FILES];
  return etcd.configuration === undefined ? [] : [etcd.configuration];
}
