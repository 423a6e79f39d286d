/** The control plane of a node, by the cluster's flavour. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { assertNever, SalvorError } from '../../domain/errors.ts';
import type { Host } from '../hosts/host.ts';
import type { ControlPlane } from './control-plane.ts';
import { servicesControlPlane } from './services.ts';
import { staticPodsControlPlane } from './static-pods.ts';

/**
 * How the components of a node are started and stopped.
 * @throws SalvorError `InvalidConfiguration` for a flavour that isn't supported, or one that lacks commands
 */
export function controlPlaneFor(cluster: Cluster, node: ClusterNode, host: Host): ControlPlane {
  switch (cluster.flavour) {
    case 'services':
    case 'etcd':
      return servicesControlPlane(node, host);
    case 'kubeadm':
      return staticPodsControlPlane(node, host);
    case 'openshift':
      throw new SalvorError(
        'InvalidConfiguration',
        `${cluster.name}: starting and stopping the components of a cluster of the flavour "${cluster.flavour}" is not supported yet; it can be backed up, not restored in place`,
      );
    default:
      return assertNever(cluster.flavour);
  }
}
