/** OpenShift can be backed up, which needs only etcd and the API. Nothing is done on its nodes yet. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { FlavourNode } from './flavour.ts';

export function openshiftNode(cluster: Cluster): FlavourNode {
  function refuse(): never {
    throw new SalvorError(
      'InvalidConfiguration',
      `${cluster.name}: Salvor can't start and stop the components of a cluster of the flavour "${cluster.flavour}" yet; such a cluster can be backed up, but not restored in place`,
    );
  }
  return {
    controlPlane: refuse,
    refuseOtherPlace: async () => refuse(),
    member: {
      find: async () => refuse(),
      joiningText: refuse,
      keptBeside: refuse,
      check: async () => refuse(),
      finish: async () => refuse(),
      replacedFiles: () => [],
    },
    lookAtEtcd: async () => refuse(),
    logCommand: () => undefined,
    readSettling: async () => ({ installedAt: null, lastChange: null }),
    furtherStaticPaths: async () => [],
    readApiServerFlags: async () => null,
  };
}
