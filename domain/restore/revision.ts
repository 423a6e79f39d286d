/** Chooses the revision at which a restored cluster begins: above every revision that a client has seen. Pure. */

/** Added to the live revision, to cover writes while the data directories are staged. */
const MARGIN_WHILE_STAGING = 1_000_000n;
/** The value that OpenShift uses when the live revision is unknown. */
const BUMP_WHEN_UNKNOWN = 1_000_000_000n;

/**
 * How far to raise the restored revision above the snapshot's, so that no client has seen a higher one. Such a client
 * would miss every change until the revision has caught up (kubernetes/kubernetes#107457).
 * @param liveRevision the highest revision that a member reported, or null when none did
 */
export function bumpFor(snapshotRevision: string, liveRevision: string | null): string {
  if (liveRevision === null) return BUMP_WHEN_UNKNOWN.toString();
  const gap = BigInt(liveRevision) - BigInt(snapshotRevision);
  return ((gap > 0n ? gap : 0n) + MARGIN_WHILE_STAGING).toString();
}

export interface RaisedRevision {
  /** The highest revision that a client can have seen, according to the members; null when none reported it. */
  before: string | null;
  /** How far the tools raise the snapshot's revision; null when a node's tool can't. */
  bumpRevision: string | null;
  /** The restored members begin at this revision or above. */
  floor: string;
}

/**
 * The revision at which the restored cluster begins.
 * @param nodes if the tool of one of them can't raise the revision, no node raises it, because all members must start
 * from the same data
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

/** The highest of the known revisions; null when none is known. */
export function highestRevision(...revisions: (string | null)[]): string | null {
  const known = revisions.flatMap((revision) => (revision === null ? [] : [BigInt(revision)]));
  if (known.length === 0) return null;
  return known.reduce((high, revision) => (revision > high ? revision : high)).toString();
}

/**
 * The highest revision that a client may have seen before a restore. The restored etcd is compacted at the floor and
 * refuses watches that begin below it; a client watches from the revision after the last one that it has seen.
 */
export function highestRefused(floor: string): string {
  return (BigInt(floor) - 2n).toString();
}

/**
 * Why data that begins at `floor` must not replace the data of a cluster at `liveRevision`; undefined when it may, or
 * when the live revision is unknown.
 */
export function overtakenBy(liveRevision: string | null, floor: string): string | undefined {
  if (liveRevision === null || BigInt(liveRevision) <= BigInt(highestRefused(floor))) return undefined;
  return `etcd is at revision ${liveRevision}, and the restored cluster would begin at ${floor}: clients would miss every change until it has caught up`;
}

/** The warning before a restore with a tool that leaves the revision at the snapshot's. */
export function cannotRaiseRevision(tool: string): string {
  return `${tool} can't raise the revision (etcd 3.4.27, 3.5.10 and later can), so the cluster goes back to the snapshot's revision: clients that watch it would silently miss changes. Restart everything that watches afterwards (kubelets, controllers, operators), or put a newer tool of the same minor version on the node and name it with etcd.etcdutl`;
}
