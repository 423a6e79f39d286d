/** What is known how to do on a node of a flavour; its traits in `domain/flavours/` say the rest. */
import type { Settling } from '../../domain/backups/settled.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { ProcessSeen } from '../../domain/members/member-table.ts';
import type { ApiServerFlags } from '../../domain/members/replacement-remarks.ts';
import type { Host } from '../hosts/host.ts';
import type { ControlPlane } from './control-plane.ts';

/** One node as its flavour knows it. What is asked of the node throws what its host throws. */
export interface FlavourNode {
  /**
   * How its components are started and stopped.
   * @throws SalvorError `InvalidConfiguration` when that isn't supported, or the configuration lacks commands
   */
  controlPlane(): ControlPlane;
  /**
   * That etcd keeps its data where the configuration says, all of it: new data that is put elsewhere would never be
   * read.
   * @throws SalvorError `UnsafeState`, with what to do
   */
  refuseOtherPlace(signal: AbortSignal): Promise<void>;
  member: MemberConfiguring;
  /** What it shows of an etcd that doesn't answer. */
  lookAtEtcd(signal: AbortSignal): Promise<EtcdLook>;
  /** The command that prints the last lines of etcd's log; undefined where it isn't known. */
  logCommand(): readonly [string, ...string[]] | undefined;
  /** How old it is, and when its control plane was changed last; nulls where nothing tells. */
  readSettling(signal: AbortSignal): Promise<Settling>;
  /**
   * Paths that a backup keeps beside the flavour's `staticPaths`, for which there is no fixed place. They need not be
   * there.
   */
  furtherStaticPaths(signal: AbortSignal): Promise<string[]>;
  /** Of its kube-apiserver; null where it has none, or doesn't show them. */
  readApiServerFlags(signal: AbortSignal): Promise<ApiServerFlags['flags']>;
}

export type EtcdLook = Pick<ProcessSeen, 'process' | 'seen'>;

/** How a node's etcd is told the members of the cluster that it joins. */
export interface MemberConfiguring {
  /**
   * The file in which its initial cluster stands; undefined on a node that makes its member by itself when it joins.
   * @throws SalvorError `InvalidConfiguration` when nothing says where it stands, `UnsafeState` when it isn't there
   */
  find(signal: AbortSignal): Promise<MemberFile | undefined>;
  /**
   * The text of that file for a member that joins. Pure.
   * @throws SalvorError `UnsafeState` when it can't be written
   */
  joiningText(file: MemberFile, initialCluster: string): string;
  /** Beside which path the file of before is kept. */
  keptBeside(file: MemberFile): string;
  /**
   * Whether all else that a member needs is there, or can be made.
   * @returns what will be made, in words
   * @throws SalvorError `UnsafeState`, with what to do by hand
   */
  check(signal: AbortSignal): Promise<string[]>;
  /**
   * Makes all else that it needs, once the file is written. Run again, it makes what is missing.
   * @returns the paths of what was moved aside
   */
  finish(operationId: string, signal: AbortSignal): Promise<string[]>;
  /** The files that a replacement writes anew: the old ones lie aside under names that begin with these paths. */
  replacedFiles(): string[];
}

export interface MemberFile {
  path: string;
  text: string;
}

/** A node of a cluster, as a flavour knows it. Nothing is asked of it yet. */
export type OpenNode = (cluster: Cluster, node: ClusterNode, host: Host) => FlavourNode;
