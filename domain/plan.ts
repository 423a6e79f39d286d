/** What a restore does, step by step: the progress table, the plan and the documentation come from here. Pure. */
import type { ClusterNode } from './configuration/nodes.ts';
import type { Flavour } from './manifest.ts';

export interface PlannedNode {
  name: string;
  hasApiServer: boolean;
  /** Whether controllers are stopped and started with kube-apiserver. */
  hasControllers: boolean;
}

const PLACES = {
  'each node': () => true,
  'each kube-apiserver': ({ hasApiServer }) => hasApiServer,
  'each that has controllers': ({ hasControllers }) => hasControllers,
} satisfies Record<string, (node: PlannedNode) => boolean>;

/** What of a node a restore deals with. Only static pods' controllers are: services mind themselves. */
export function plannedNode(flavour: Flavour, { name, apiServer }: ClusterNode): PlannedNode {
  return { name, hasApiServer: apiServer !== undefined, hasControllers: flavour === 'kubeadm' };
}

/** The steps of a restore, in order, and where each is done. */
const RESTORE_STEPS = [
  { name: 'Find the backup', on: 'cluster' },
  { name: 'Look at the members', on: 'cluster' },
  { name: 'Prove the backup by a trial restore', on: 'cluster' },
  { name: 'Check the node', on: 'each node' },
  { name: 'Draw the plan', on: 'cluster' },
  { name: 'Approve the plan', on: 'cluster' },
  { name: 'Save the present state', on: 'cluster' },
  { name: 'Stage the new data directory', on: 'each node' },
  { name: 'Write the journal', on: 'each node' },
  { name: 'Stop kube-apiserver', on: 'each kube-apiserver' },
  { name: 'Stop etcd', on: 'each node' },
  { name: 'Swap the data directory', on: 'each node' },
  { name: 'Start etcd', on: 'each node' },
  { name: 'Check the members', on: 'cluster' },
  { name: 'Start kube-apiserver', on: 'each kube-apiserver' },
  { name: 'Check kube-apiserver', on: 'each kube-apiserver' },
  { name: 'Write through kube-apiserver', on: 'each kube-apiserver' },
  { name: 'Prove that old watches end', on: 'each node' },
  { name: 'Start the controllers', on: 'each that has controllers' },
  { name: 'Close the journal', on: 'each node' },
  { name: 'Look after the cluster', on: 'cluster' },
] as const satisfies readonly { name: string; on: 'cluster' | keyof typeof PLACES }[];

/** Every step of a restore on every node, in the order in which they are done. */
export function restoreSteps(nodes: PlannedNode[]): { name: string; node: string | null }[] {
  return RESTORE_STEPS.flatMap(({ name, on }): { name: string; node: string | null }[] => {
    if (on === 'cluster') return [{ name, node: null }];
    return nodes.filter(PLACES[on]).map((place) => ({ name, node: place.name }));
  });
}

/** Added to the live revision, for what is written while the data directories are staged. */
const MARGIN_WHILE_STAGING = 1_000_000n;
/** OpenShift's figure for the case that nothing is known of the live revision. */
const BUMP_WHEN_UNKNOWN = 1_000_000_000n;

/**
 * By how much the restored revision is raised above the snapshot's, so that no client has ever seen a higher one: a client that
 * did would miss every change until the revision has caught up (kubernetes/kubernetes#107457).
 * @param liveRevision the highest that a member answered with, or null when none did
 */
export function bumpFor(snapshotRevision: string, liveRevision: string | null): string {
  if (liveRevision === null) return BUMP_WHEN_UNKNOWN.toString();
  const gap = BigInt(liveRevision) - BigInt(snapshotRevision);
  return ((gap > 0n ? gap : 0n) + MARGIN_WHILE_STAGING).toString();
}

/**
 * As {@link bumpFor}; null when the tool of some node can't raise the revision: then no node's does, since all members start from the same data.
 */
export function raiseOf(
  snapshotRevision: string,
  liveRevision: string | null,
  nodes: readonly { leavesRevision?: boolean }[],
): string | null {
  return nodes.some(({ leavesRevision }) => leavesRevision) ? null : bumpFor(snapshotRevision, liveRevision);
}

/** What people must know before a restore with a tool that leaves the revision where the snapshot was. */
export function cannotRaiseRevision(tool: string): string {
  return `${tool} can't raise the revision (etcd 3.4.27, 3.5.10 and later can), so the cluster goes back to the snapshot's: what watches it would miss changes in silence. Restart everything that watches afterwards (kubelets, controllers, operators), or put a newer tool of the same minor version on the node and name it with etcd.etcdutl`;
}

/** All that a member keeps in its data directory. That itself stays: it may be a mount point, which can't be renamed, and belong to a user of its own. */
export function memberData(dataDir: string): string {
  return `${dataDir}/member`;
}

/** Where the parts of a restore lie on a node: beside the member's data, on the same file system, so that a rename is enough. */
export function restorePaths(
  dataDir: string,
  operationId: string,
): { scratch: string; staged: string; setAside: string; abandoned: string } {
  const data = memberData(dataDir);
  return {
    scratch: `${data}.salvor-scratch-${operationId}`,
    staged: `${data}.salvor-staged-${operationId}`,
    setAside: `${data}.before-restore-${operationId}`,
    abandoned: `${data}.abandoned-restore-${operationId}`,
  };
}

/** Beside a node's data directory, which may be on a disk that is lost, while a restore changes the node: see `journal.ts`. */
export function journalPath(dataDir: string): string {
  return `${dataDir}.salvor-journal.json`;
}
