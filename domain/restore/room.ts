/** The disk space that a restore needs on a node. Pure. */

/** Room for the snapshot, the database restored from it, and as much again for etcd to grow. The old data is kept. */
export function bytesToStage(snapshotBytes: number): number {
  return 3 * snapshotBytes;
}

/** The room that etcd needs to grow once the new data is in place. */
export function bytesOnceStaged(snapshotBytes: number): number {
  return snapshotBytes;
}
