/** kubeadm: the kubelet of each node runs the control plane as static pods. */
import type { JoinOrder, Traits } from './traits.ts';

/**
 * The directory in which kubeadm keeps everything of a control plane
 * (https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/).
 */
export const KUBERNETES_DIRECTORY = '/etc/kubernetes';
/** The certificates of etcd, and the authority that signs them. */
export const ETCD_PKI = `${KUBERNETES_DIRECTORY}/pki/etcd`;

export const kubeadm: Traits = {
  isBackupOnly: false,
  needsCommands: false,
  // The static pods, all keys and certificates, the components' kubeconfigs, and the kubelet's own configuration.
  staticPaths: [
    `${KUBERNETES_DIRECTORY}/manifests`,
    `${KUBERNETES_DIRECTORY}/pki`,
    `${KUBERNETES_DIRECTORY}/*.conf`,
    '/var/lib/kubelet/config.yaml',
    '/var/lib/kubelet/kubeadm-flags.env',
    '/var/lib/kubelet/pki',
  ],
  settlesBy: 'node files',
  etcd: {
    hasTls: true,
    clientCertificate: {
      ca: `${ETCD_PKI}/ca.crt`,
      cert: `${ETCD_PKI}/healthcheck-client.crt`,
      key: `${ETCD_PKI}/healthcheck-client.key`,
    },
    comparesBeforeServing: true,
  },
  kubernetes: {
    registryPrefixes: ['/registry'],
    hasOwnEtcdOnly: true,
    stopsControllers: true,
    runsOnNodes: true,
    // Only the first node has the first; the second needs a role that is read from etcd.
    adminKubeconfigs: [`${KUBERNETES_DIRECTORY}/super-admin.conf`, `${KUBERNETES_DIRECTORY}/admin.conf`],
    showsApiServerFlags: true,
    joinInstruction,
  },
};

function joinInstruction({ cluster, node, through }: JoinOrder): string {
  return (
    `${node.name} has no control plane yet, and kubeadm makes its member. On ${through}: ` +
    '`kubeadm token create --print-join-command --certificate-key $(kubeadm init phase upload-certs --upload-certs | tail -n 1)`; ' +
    `what it prints, on ${node.name} with --apiserver-advertise-address ${node.address}; then \`salvor retry ${cluster}\``
  );
}
