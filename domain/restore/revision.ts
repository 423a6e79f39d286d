/** The revision at which a restored cluster begins: above everything that a client has seen. Pure. */

/** Added to the live revision, for what is written while the data directories are staged. */
const MARGIN_WHILE_STAGING = 1_000_000n;
/** OpenShift's figure for the case that nothing is known of the live revision. */
const BUMP_WHEN_UNKNOWN = 1_000_000_000n;

/**
 * By how much the restored revision is raised above the snapshot's, so that no client has ever seen a higher one: a
 * client that did would miss every change until the revision has caught up (kubernetes/kubernetes#107457).
 * @param liveRevision the highest that a member answered with, or null when none did
 */
export function bumpFor(snapshotRevision: string, liveRevision: string | null): string {
  if (liveRevision === null) return BUMP_WHEN_UNKNOWN.toString();
  const gap = BigInt(liveRevision) - BigInt(snapshotRevision);
  return ((gap > 0n ? gap : 0n) + MARGIN_WHILE_STAGING).toString();
}

export interface RaisedRevision {
  /** The highest that a client can have seen, as far as a member told; null when none did. */
  before: string | null;
  /** How far the tools raise the snapshot's revision; null when some node's can't. */
  bumpRevision: string | null;
  /** At this one, or above, the restored members begin. */
  floor: string;
}

/**
 * Where the restored cluster begins.
 * @param nodes with a tool that can't raise the revision on one of them no node's does, since all members start from
 * the same data
 */
export function raiseAbove(
  snapshotRevision: string,
  liveRevision: string | null,
  nodes: readonly { leavesRevision?: boolean }[],
): RaisedRevision {
  const isLeft = nodes.some(({ leavesRevision }) => leavesRevision);
  const bumpRevision = isLeft ? null : bumpFor(snapshotRevision, liveRevision);
  const floor = (BigInt(snapshotRevision) + BigInt(bumpRevision ?? 0)).toString();
  return { before: liveRevision, bumpRevision, floor };
}

/** The highest of those that are known. */
export function highestRevision(...revisions: (string | null)[]): string | null {
  const known = revisions.flatMap((revision) => (revision === null ? [] : [BigInt(revision)]));
  if (known.length === 0) return null;
  return known.reduce((high, revision) => (revision > high ? revision : high)).toString();
}

/**
 * The highest revision that a client may have seen before a restore. etcd is compacted at the floor then, and refuses
 * watches that begin below it; who has seen a revision watches from the next one on.
 */
export function highestRefused(floor: string): string {
  return (BigInt(floor) - 2n).toString();
}

/**
 * Why data that begins at `floor` must not replace that of a cluster at `liveRevision`; undefined when it may, or when
 * nothing is known.
 */
export function overtakenBy(liveRevision: string | null, floor: string): string | undefined {
  if (liveRevision === null || BigInt(liveRevision) <= BigInt(highestRefused(floor))) return undefined;
  return `etcd is at revision ${liveRevision}, and the restored cluster would begin at ${floor}: clients would miss every change until it has caught up`;
}

/** What people must know before a restore with a tool that leaves the revision where the snapshot was. */
export function cannotRaiseRevision(tool: string): string {
  return `${tool} can't raise the revision (etcd 3.4.27, 3.5.10 and later can), so the cluster goes back to the snapshot's revision: clients that watch it would silently miss changes. Restart everything that watches afterwards (kubelets, controllers, operators), or put a newer tool of the same minor version on the node and name it with etcd.etcdutl`;
}
