/** OpenShift can be backed up, which asks etcd and the API. Nothing is done on its nodes yet. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { FlavourNode } from './flavour.ts';

export function openshiftNode(cluster: Cluster): FlavourNode {
  function refuse(): never {
    throw new SalvorError(
      'InvalidConfiguration',
      `${cluster.name}: starting and stopping the components of a cluster of the flavour "${cluster.flavour}" is not supported yet; it can be backed up, not restored in place`,
    );
  }
  return {
    controlPlane: refuse,
    refuseOtherPlace: async () => await Promise.resolve().then(refuse),
    member: {
      find: async () => await Promise.resolve().then(refuse),
      joiningText: refuse,
      keptBeside: refuse,
      check: async () => await Promise.resolve().then(refuse),
      finish: async () => await Promise.resolve().then(refuse),
    },
    lookAtEtcd: async () => await Promise.resolve().then(refuse),
    logCommand: () => undefined,
    readSettling: async () => await Promise.resolve({ installedAt: null, lastChange: null }),
    furtherStaticPaths: async () => await Promise.resolve([]),
    readApiServerFlags: async () => await Promise.resolve(null),
  };
}
