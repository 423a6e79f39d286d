/** Finds the places that still name a replaced member, which a person has to fix. Pure. */
import type { ClusterNode } from '../configuration/nodes.ts';
import type { Cluster } from '../configuration/resolve.ts';
import { traitsOf } from '../flavours/index.ts';

export interface ApiServerFlags {
  node: string;
  /** Null when the node has no kube-apiserver, or when its manifest could not be read. */
  flags: { path: string; etcdServers: string | null; advertiseAddress: string | null } | null;
  problem?: string;
}

/** One sentence per thing to do; empty when the new member has the old one's name and address. */
export function remarksOf(
  cluster: Cluster,
  node: ClusterNode,
  old: { name: string; peerUrls: string[] },
  apiServers: ApiServerFlags[],
): string[] {
  const { clientUrl, peerUrl, memberName } = node.etcd;
  const { kubernetes } = traitsOf(cluster.flavour);
  const oldHosts = old.peerUrls.map(hostOf).filter((host) => host !== hostOf(peerUrl));
  const remarks: string[] = [];
  if (oldHosts.length > 0) {
    if (kubernetes?.showsApiServerFlags === false) {
      remarks.push(
        `Where a kube-apiserver names ${oldHosts.join(', ')} in --etcd-servers, put ${clientUrl} there and restart it: with commands for its services Salvor doesn't see its flags.`,
      );
    }
    for (const { node: name, flags, problem } of apiServers) {
      if (problem !== undefined) {
        remarks.push(
          `${name}: its kube-apiserver's --etcd-servers could not be looked at for ${oldHosts.join(', ')}: ${problem}`,
        );
      } else if (oldHosts.some((host) => namesHost(flags?.etcdServers, host))) {
        remarks.push(
          `${name}: kube-apiserver names ${oldHosts.join(', ')} in --etcd-servers of ${flags?.path}; put ${clientUrl} there.`,
        );
      }
    }
  }
  const own = apiServers.find(({ node: name }) => name === node.name)?.flags;
  if (own?.advertiseAddress && own.advertiseAddress !== node.address) {
    remarks.push(
      `${node.name}: kube-apiserver advertises ${own.advertiseAddress} in ${own.path}; put ${node.address} there, and see that its certificate (pki/apiserver.crt) and the kubelet's --node-ip hold it.`,
    );
  }
  if (kubernetes?.runsOnNodes && old.name !== '' && old.name !== memberName) {
    remarks.push(`The node ${old.name} is still an object of the API: \`kubectl delete node ${old.name}\`.`);
  }
  return remarks;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url;
}

function namesHost(urls: string | null | undefined, host: string): boolean {
  return (urls ?? '').split(',').some((url) => hostOf(url) === host);
}
