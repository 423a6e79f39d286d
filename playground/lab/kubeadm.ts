/** kubeadm's configuration: the first node creates the cluster, the others join it as further control planes. */
import { stringify } from 'yaml';
import { ENDPOINT, type LabPaths, type NodeNumber, REGISTRY } from './layout.ts';
import { ETCD_TAG, KUBERNETES_VERSION } from './parts.ts';

/** How the nodes find and trust each other while the cluster is made. */
export interface JoinSecrets {
  /** `<6>.<16>` lower-case letters and digits. */
  token: string;
  /** 32 bytes in hexadecimal: the key that encrypts the certificates until the other nodes fetch them. */
  certificateKey: string;
}

/** The configuration file of a node, for `kubeadm init` on the first and `kubeadm join` on the others. */
export function kubeadmConfiguration(paths: LabPaths, number: NodeNumber, secrets: JoinSecrets): string {
  return (number === 1 ? initDocuments(paths, secrets) : [joinDocument(paths, number, secrets)])
    .map((document) => stringify(document))
    .join('---\n');
}

function initDocuments(paths: LabPaths, { token, certificateKey }: JoinSecrets): object[] {
  return [
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: paths.node(1).address, bindPort: 6443 },
      nodeRegistration: registration(paths, 1),
      bootstrapTokens: [{ token, ttl: '0s' }],
      certificateKey,
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'ClusterConfiguration',
      kubernetesVersion: `v${KUBERNETES_VERSION}`,
      imageRepository: REGISTRY,
      controlPlaneEndpoint: `${ENDPOINT}:6443`,
      networking: { podSubnet: '10.244.0.0/16' },
      etcd: {
        local: {
          imageTag: ETCD_TAG,
          dataDir: '/var/lib/etcd',
          // The default of 2 GiB would be too small for a large cluster's keys.
          extraArgs: [{ name: 'quota-backend-bytes', value: String(8 * 1024 ** 3) }],
        },
      },
    },
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      cgroupDriver: 'cgroupfs',
      failCgroupV1: false,
      failSwapOn: false,
      // The disk is this machine's: how full it is says nothing about the node.
      imageGCHighThresholdPercent: 100,
      evictionHard: {
        'nodefs.available': '0%',
        'imagefs.available': '0%',
        'nodefs.inodesFree': '0%',
        'memory.available': '50Mi',
      },
    },
  ];
}

function joinDocument(paths: LabPaths, number: NodeNumber, { token, certificateKey }: JoinSecrets): object {
  return {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'JoinConfiguration',
    controlPlane: {
      localAPIEndpoint: { advertiseAddress: paths.node(number).address, bindPort: 6443 },
      certificateKey,
    },
    discovery: {
      bootstrapToken: { token, apiServerEndpoint: `${ENDPOINT}:6443`, unsafeSkipCAVerification: true },
    },
    nodeRegistration: registration(paths, number),
  };
}

function registration(paths: LabPaths, number: NodeNumber): object {
  const { name, address } = paths.node(number);
  return {
    name,
    criSocket: 'unix:///run/containerd/containerd.sock',
    imagePullPolicy: 'IfNotPresent',
    taints: [],
    kubeletExtraArgs: [{ name: 'node-ip', value: address }],
  };
}
