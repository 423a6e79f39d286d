/** The revision at which a restored cluster begins: above everything that a client has seen. */

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
