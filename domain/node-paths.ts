/**
 * Where everything that Salvor puts on a node lies: beside the member's data, on the same file system, so that a rename
 * is enough.
 */

/**
 * All that a member keeps in its data directory. That itself stays: it may be a mount point, which can't be renamed,
 * and belong to a user of its own.
 */
export function memberData(dataDir: string): string {
  return `${dataDir}/member`;
}

/**
 * Where the parts of a restore lie on a node: beside the member's data, on the same file system, so that a rename is
 * enough.
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

/** What a member's data and configuration are called once they are moved aside. */
export function asideName(path: string, operationId: string): string {
  return `${path}.before-replace-${operationId}`;
}
