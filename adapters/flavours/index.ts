/** What is known how to do on a node, by the cluster's flavour. */
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

/** A node as its flavour knows it. */
export function flavourNode(cluster: Cluster, node: ClusterNode, host: Host): FlavourNode {
  return NODES[cluster.flavour](cluster, node, host);
}

/**
 * How the components of a node are started and stopped.
 * @throws SalvorError `InvalidConfiguration` for a flavour that isn't supported, or one that lacks commands
 */
export function controlPlaneFor(cluster: Cluster, node: ClusterNode, host: Host): ControlPlane {
  return flavourNode(cluster, node, host).controlPlane();
}
