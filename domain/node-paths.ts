/**
 * The paths of everything that Salvor writes to a node. They are next to the member's data, on the same file system, so
 * a rename is enough to move data in or out.
 */

/**
 * The subdirectory that holds all of a member's data. The data directory itself stays in place: it may be a mount
 * point, which can't be renamed, and may be owned by a dedicated user.
 */
export function memberData(dataDir: string): string {
  return `${dataDir}/member`;
}

/**
 * The paths that a restore uses on a node: next to the member's data, on the same file system, so a rename is enough.
 */
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

/**
 * Beside a node's data directory, which may be on a disk that is lost, while a restore prepares or changes the
 * node: see `journal.ts`.
 */
export function journalPath(dataDir: string): string {
  return `${dataDir}.salvor-journal.json`;
}

/** The path to which a replacement moves a member's data or configuration. */
export function asideName(path: string, operationId: string): string {
  return `${path}.before-replace-${operationId}`;
}
