/** What can be done on a node of a flavour; the flavour's traits in `domain/flavours/` say the rest. */
import type { Settling } from '../../domain/backups/settled.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { ProcessSeen } from '../../domain/members/member-table.ts';
import type { ApiServerFlags } from '../../domain/members/replacement-remarks.ts';
import type { Host } from '../hosts/host.ts';
import type { ControlPlane } from './control-plane.ts';

/** One node, as its flavour handles it. Methods that ask the node throw what its host throws. */
export interface FlavourNode {
  /**
   * Starts and stops its components.
   * @throws SalvorError `InvalidConfiguration` when this isn't supported, or the configuration lacks commands
   */
  controlPlane(): ControlPlane;
  /**
   * Checks that etcd keeps all of its data where the configuration says: etcd would never read new data that is put
   * elsewhere.
   * @throws SalvorError `UnsafeState`, with what to do
   */
  refuseOtherPlace(signal: AbortSignal): Promise<void>;
  member: MemberConfiguring;
  /** What the node shows of an etcd that doesn't answer. */
  lookAtEtcd(signal: AbortSignal): Promise<EtcdLook>;
  /** The command that prints the last lines of etcd's log; undefined if it isn't known. */
  logCommand(): readonly [string, ...string[]] | undefined;
  /** How old the node is, and when its control plane last changed; null where nothing shows it. */
  readSettling(signal: AbortSignal): Promise<Settling>;
  /**
   * Paths that a backup keeps in addition to the flavour's `staticPaths`, because their place varies. They may be
   * missing.
   */
  furtherStaticPaths(signal: AbortSignal): Promise<string[]>;
  /** The flags of its kube-apiserver; null if it has none or doesn't show them. */
  readApiServerFlags(signal: AbortSignal): Promise<ApiServerFlags['flags']>;
}

export type EtcdLook = Pick<ProcessSeen, 'process' | 'seen'>;

/** How a node's etcd learns the members of the cluster that it joins. */
export interface MemberConfiguring {
  /**
   * The file with its initial cluster; undefined on a node that makes its own member when it joins.
   * @throws SalvorError `InvalidConfiguration` when nothing says which file it is, `UnsafeState` when the file doesn't
   * exist
   */
  find(signal: AbortSignal): Promise<MemberFile | undefined>;
  /**
   * The text of that file for a joining member. Pure.
   * @throws SalvorError `UnsafeState` when it can't be written
   */
  joiningText(file: MemberFile, initialCluster: string): string;
  /** Where the previous file is kept: next to this path. */
  keptBeside(file: MemberFile): string;
  /**
   * Checks that everything else that a member needs exists or can be made.
   * @returns what will be made, in words
   * @throws SalvorError `UnsafeState`, with what to do by hand
   */
  check(signal: AbortSignal): Promise<string[]>;
  /**
   * Makes everything else that the member needs, once the file is written. A repetition makes only what is missing.
   * @returns the paths of the files that were moved aside
   */
  finish(operationId: string, signal: AbortSignal): Promise<string[]>;
  /** The files that a replacement rewrites: the old ones are kept under names that begin with these paths. */
  replacedFiles(): string[];
}

export interface MemberFile {
  path: string;
  text: string;
}

/** A node of a cluster, as its flavour handles it. The node isn't asked anything yet. */
export type OpenNode = (cluster: Cluster, node: ClusterNode, host: Host) => FlavourNode;
