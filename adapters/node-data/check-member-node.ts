/** Checks, before anything on a node is touched, whether a new member can be made on it. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import { flavourNode } from '../flavours/index.ts';
import type { Host } from '../hosts/host.ts';
import { freeBytesFor } from './free-bytes.ts';
import { refuseUnfinished } from './journal.ts';

/** The data that comes from the leader, and as much again for etcd to grow; the old data stays as well. */
const ROOM_PER_DATABASE_BYTE = 2;

export interface MemberNode {
  etcd: 'running' | 'stopped';
  apiServer: 'running' | 'stopped' | null;
  /** Whether the node has never had a member and makes it when it joins. */
  joinsItself: boolean;
  seen: string;
}

/**
 * @param dbSizeBytes of the leader's database
 * @throws SalvorError `UnsafeState`, `InvalidConfiguration`, `NoSpace` or `CommandFailed`, naming the node and the
 * problem
 */
export async function checkMemberNode(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  dbSizeBytes: number,
  signal: AbortSignal,
): Promise<MemberNode> {
  await refuseUnfinished(cluster.name, node, host, signal);
  const flavour = flavourNode(cluster, node, host);
  const configuration = await flavour.member.find(signal);
  if (configuration === undefined) {
    return {
      etcd: 'stopped',
      apiServer: null,
      joinsItself: true,
      seen: 'it has no control plane yet, and makes its member when it joins',
    };
  }
  flavour.member.joiningText(configuration, `${node.etcd.memberName}=${node.etcd.peerUrl}`);
  await flavour.refuseOtherPlace(signal);
  const freeBytes = await freeBytesFor(node, host, signal);
  const neededBytes = dbSizeBytes * ROOM_PER_DATABASE_BYTE;
  if (freeBytes < neededBytes) {
    throw new SalvorError(
      'NoSpace',
      `${node.name}: ${node.etcd.dataDir} has ${freeBytes} bytes free, but a new member needs ${neededBytes}, because the old data is kept; make room`,
    );
  }
  const willBeMade = await flavour.member.check(signal);
  const { etcd, apiServer } = flavour.controlPlane();
  const [itsEtcd, itsApiServer] = [
    await etcd.status(signal),
    apiServer === undefined ? null : await apiServer.status(signal),
  ];
  return {
    etcd: itsEtcd,
    apiServer: itsApiServer,
    joinsItself: false,
    seen: [`etcd ${itsEtcd}, configured in ${configuration.path}`, ...willBeMade].join('; '),
  };
}
