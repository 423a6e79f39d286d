/** Kubernetes with a control plane that is run by systemd, containers or a team's own commands. */
import type { Traits } from './traits.ts';

export const services: Traits = {
  isBackupOnly: false,
  needsCommands: true,
  staticPaths: [],
  settlesBy: null,
  etcd: { hasTls: false, clientCertificate: null, comparesBeforeServing: false },
  kubernetes: {
    registryPrefixes: ['/registry'],
    hasOwnEtcdOnly: false,
    stopsControllers: false,
    runsOnNodes: false,
    adminKubeconfigs: [],
    showsApiServerFlags: false,
    joinInstruction: null,
  },
};
