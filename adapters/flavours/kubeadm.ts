/** A kubeadm node, whose control plane consists of static pods. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { Host } from '../hosts/host.ts';
import { logElsewhere } from './data-place.ts';
import type { FlavourNode, MemberConfiguring } from './flavour.ts';
import { findEncryptionConfiguration, readApiServerFlags } from './kubeadm/api-server.ts';
import { lookAtContainers } from './kubeadm/containers.ts';
import {
  CERTIFICATE_FILES,
  refuseUnmakable,
  remakeCertificates,
  unfitCertificates,
} from './kubeadm/etcd-certificates.ts';
import { joiningManifest } from './kubeadm/joining-manifest.ts';
import { readManifest } from './kubeadm/manifest.ts';
import { findEtcdManifest, manifestPaths } from './kubeadm/manifest-files.ts';
import { readSettling } from './kubeadm/settling.ts';
import { staticPodsControlPlane } from './kubeadm/static-pods.ts';

const LOG = 'f=$(ls -t /var/log/pods/kube-system_etcd-*/etcd/*.log 2>/dev/null | head -n 1) && tail -n 2 -- "$f"';

export function kubeadmNode(_cluster: Cluster, node: ClusterNode, host: Host): FlavourNode {
  const controlPlane = () => staticPodsControlPlane(node, host);
  return {
    controlPlane,
    refuseOtherPlace: async (signal) => await refuseOtherPlace(node, host, signal),
    member: configuring(node, host),
    lookAtEtcd: async (signal) => await lookAtContainers(controlPlane().etcd, host, signal),
    logCommand: () => ['sh', '-c', LOG],
    readSettling: async (signal) => await readSettling(host, signal),
    async furtherStaticPaths(signal) {
      const keys = await findEncryptionConfiguration(host, signal);
      return keys === undefined ? [] : [keys];
    },
    readApiServerFlags: async (signal) => await readApiServerFlags(host, signal),
  };
}

async function refuseOtherPlace(node: ClusterNode, host: Host, signal: AbortSignal): Promise<void> {
  const { dataDir } = node.etcd;
  const manifest = await findEtcdManifest(host, signal);
  if (manifest === undefined) return;
  const { flags } = readManifest(manifest.text, 'etcd', `${node.name}: ${manifest.path}`);
  if (flags.has('--wal-dir')) throw logElsewhere(node, `${manifest.path} sets --wal-dir`);
  const itsDataDir = flags.get('--data-dir');
  if (itsDataDir === undefined || itsDataDir === dataDir) return;
  throw new SalvorError(
    'UnsafeState',
    `${node.name}: etcd's data directory is ${itsDataDir} in its manifest, but ${dataDir} in the configuration; correct "dataDir" of the node`,
  );
}

function configuring(node: ClusterNode, host: Host): MemberConfiguring {
  const { memberName, clientUrl, peerUrl } = node.etcd;
  return {
    find: async (signal) => await findEtcdManifest(host, signal),
    joiningText({ path, text }, initialCluster) {
      return joiningManifest(text, { name: memberName, clientUrl, peerUrl, initialCluster }, `${node.name}: ${path}`);
    },
    // A place where the kubelet doesn't see it.
    keptBeside: () => manifestPaths('etcd').aside,
    async check(signal) {
      const unfit = await unfitCertificates(node, host, signal);
      await refuseUnmakable(node, host, unfit, signal);
      if (unfit.length === 0) return [];
      return [`its certificates (${unfit.join(', ')}) don't hold its address and will be renewed`];
    },
    finish: async (operationId, signal) => await remakeCertificates(node, host, operationId, signal),
    // The manifest is kept where the kubelet doesn't see it.
    replacedFiles: () => [manifestPaths('etcd').aside, ...CERTIFICATE_FILES],
  };
}
