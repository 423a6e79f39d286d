/** What can be done on a node, by the cluster's flavour. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { Flavour } from '../../domain/flavours/index.ts';
import type { Host } from '../hosts/host.ts';
import type { ControlPlane } from './control-plane.ts';
import type { FlavourNode, OpenNode } from './flavour.ts';
import { kubeadmNode } from './kubeadm.ts';
import { openshiftNode } from './openshift.ts';
import { servicesNode } from './services.ts';

const NODES = {
  kubeadm: kubeadmNode,
  openshift: openshiftNode,
  services: servicesNode,
  etcd: servicesNode,
} satisfies Record<Flavour, OpenNode>;

/** A node, as its flavour handles it. */
export function flavourNode(cluster: Cluster, node: ClusterNode, host: Host): FlavourNode {
  return NODES[cluster.flavour](cluster, node, host);
}

/**
 * Starts and stops the components of a node.
 * @throws SalvorError `InvalidConfiguration` for an unsupported flavour, or one without the commands
 */
export function controlPlaneFor(cluster: Cluster, node: ClusterNode, host: Host): ControlPlane {
  return flavourNode(cluster, node, host).controlPlane();
}
