/** The data that restores have moved aside on a node. Pure. */
import { timeOfBackupId } from '../format/keys.ts';
import { memberData, restorePaths } from '../node-paths.ts';

/** `before`: what was there before a restore. `abandoned`: what a rollback took away again. */
export type SetAsideKind = 'before' | 'abandoned';

export interface SetAside {
  path: string;
  kind: SetAsideKind;
  /** Of the restore, which is the time of its beginning. */
  operationId: string;
  /** On the disk. */
  bytes: number;
}

/** What a path beside a member's data is, when a restore has put it there; undefined for any other. */
export function setAsideAt(dataDir: string, path: string): Omit<SetAside, 'bytes'> | undefined {
  const operationId = path.slice(-OPERATION_ID_CHARACTERS);
  if (timeOfBackupId(operationId) === undefined) return undefined;
  const { setAside, abandoned } = restorePaths(dataDir, operationId);
  if (path === setAside) return { path, kind: 'before', operationId };
  return path === abandoned ? { path, kind: 'abandoned', operationId } : undefined;
}

const OPERATION_ID_CHARACTERS = 'YYYYmmdd-HHMMSS'.length;

/** Where it lies while it is being removed: under a name by which a killed try is finished. */
export function removingPath(dataDir: string, { kind, operationId }: Omit<SetAside, 'bytes'>): string {
  return `${memberData(dataDir)}.salvor-removing-${kind}-${operationId}`;
}
