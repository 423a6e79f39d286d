/** OpenShift: its operators roll out the control plane as revisions of static pods. */
import type { Traits } from './traits.ts';

export const openshift: Traits = {
  isBackupOnly: true,
  needsCommands: false,
  // They are revisions that OpenShift's own script chooses; none is guessed.
  staticPaths: [],
  settlesBy: 'operators',
  etcd: { hasTls: true, clientCertificate: null, comparesBeforeServing: false },
  kubernetes: {
    // The second is of openshift-apiserver.
    registryPrefixes: ['/kubernetes.io', '/openshift.io'],
    hasOwnEtcdOnly: false,
    stopsControllers: false,
    runsOnNodes: true,
    adminKubeconfigs: [],
    showsApiServerFlags: false,
    joinInstruction: null,
  },
};
