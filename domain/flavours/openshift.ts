/** OpenShift: its operators roll out the control plane as revisions of static pods. */
import type { Traits } from './traits.ts';

export const openshift: Traits = {
  isBackupOnly: true,
  needsCommands: false,
  // OpenShift's own script chooses among revisions of these files; Salvor doesn't guess.
  staticPaths: [],
  settlesBy: 'operators',
  etcd: { hasTls: true, clientCertificate: null, comparesBeforeServing: false },
  kubernetes: {
    // The second belongs to openshift-apiserver.
    registryPrefixes: ['/kubernetes.io', '/openshift.io'],
    hasOwnEtcdOnly: false,
    stopsControllers: false,
    runsOnNodes: true,
    adminKubeconfigs: [],
    showsApiServerFlags: false,
    joinInstruction: null,
  },
};
