/** Whether a member can be made anew on a node, before anything on it is touched. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import { controlPlaneFor } from '../flavours/find.ts';
import { freeBytesFor, refuseOtherPlace } from '../flavours/data-place.ts';
import type { Host } from '../hosts/host.ts';
import { refuseUnmakable, unfitCertificates } from '../flavours/etcd-certificates.ts';
import { findConfiguration, joiningText } from '../flavours/member-configuration.ts';

/** What comes from the leader, and as much again for etcd to grow; the old data stays beside it. */
const ROOM_PER_DATABASE_BYTE = 2;

export interface MemberNode {
  etcd: 'running' | 'stopped';
  apiServer: 'running' | 'stopped' | null;
  /** A kubeadm node that has never had a member: `kubeadm join` makes it. */
  joinsItself: boolean;
  seen: string;
}

/**
 * @param dbSizeBytes of the leader's database
 * @throws SalvorError `UnsafeState`, `InvalidConfiguration`, `NoSpace` or `CommandFailed`, naming the node and what is wrong
 */
export async function checkMemberNode(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  dbSizeBytes: number,
  signal: AbortSignal,
): Promise<MemberNode> {
  const configuration = await findConfiguration(cluster, node, host, signal);
  if (configuration === undefined) {
    return {
      etcd: 'stopped',
      apiServer: null,
      joinsItself: true,
      seen: 'it has no static pod of etcd: `kubeadm join` makes it',
    };
  }
  joiningText(cluster, node, configuration, `${node.etcd.memberName}=${node.etcd.peerUrl}`);
  await refuseOtherPlace(cluster, node, host, signal);
  const freeBytes = await freeBytesFor(node, host, signal);
  const neededBytes = dbSizeBytes * ROOM_PER_DATABASE_BYTE;
  if (freeBytes < neededBytes) {
    throw new SalvorError(
      'NoSpace',
      `${node.name}: ${node.etcd.dataDir} has ${freeBytes} bytes free, a new member needs ${neededBytes}: the old data is kept. Make room`,
    );
  }
  const unfit = cluster.flavour === 'kubeadm' ? await unfitCertificates(node, host, signal) : [];
  await refuseUnmakable(node, host, unfit, signal);
  const { etcd, apiServer } = controlPlaneFor(cluster, node, host);
  const [itsEtcd, itsApiServer] = [
    await etcd.status(signal),
    apiServer === undefined ? null : await apiServer.status(signal),
  ];
  return {
    etcd: itsEtcd,
    apiServer: itsApiServer,
    joinsItself: false,
    seen: [
      `etcd ${itsEtcd}, configured in ${configuration.path}`,
      ...(unfit.length > 0 ? [`its certificates (${unfit.join(', ')}) don't hold its address and are made anew`] : []),
    ].join('; '),
  };
}
