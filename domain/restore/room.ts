/** How much room a restore needs on a node. Pure. */

/** The snapshot itself, the database restored from it, and as much again for etcd to grow; the old data is kept. */
export function bytesToStage(snapshotBytes: number): number {
  return 3 * snapshotBytes;
}

/** What etcd needs to grow once the new data lies there. */
export function bytesOnceStaged(snapshotBytes: number): number {
  return snapshotBytes;
}
