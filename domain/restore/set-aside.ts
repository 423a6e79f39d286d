/** Finds the data that restores and replacements have moved aside on a node. Pure. */
import { timeOfBackupId } from '../format/keys.ts';
import { asideName, memberData, restorePaths } from '../node-paths.ts';

/**
 * `before`: the data from before a restore. `abandoned`: the restored data that a rollback removed again. `replaced`:
 * the data, configuration and certificates from before a replacement.
 */
export type SetAsideKind = 'before' | 'abandoned' | 'replaced';

export interface SetAside {
  path: string;
  kind: SetAsideKind;
  type: 'directory' | 'file';
  /** The ID of the restore or replacement, which is the time at which it began. */
  operationId: string;
  /** The size on disk. */
  bytes: number;
}

/**
 * A path that an operation has moved aside, and the path to which it is renamed while it is being removed. A removal
 * that was killed continues with the latter.
 */
export interface KnownAside extends Omit<SetAside, 'bytes'> {
  removing: string;
}

/** The paths that operations may move aside on a node. */
export interface Movable {
  dataDir: string;
  /** The files that a replacement rewrites. */
  files: readonly string[];
}

/** Describes a path that an operation moved aside or that a killed removal left; undefined for any other path. */
export function setAsideAt(movable: Movable, path: string): KnownAside | undefined {
  const operationId = path.slice(-OPERATION_ID_CHARACTERS);
  if (timeOfBackupId(operationId) === undefined) return undefined;
  for (const each of everyAside(movable, operationId)) {
    if (path === each.path || path === each.removing) return { ...each, path };
  }
  return undefined;
}

const OPERATION_ID_CHARACTERS = 'YYYYmmdd-HHMMSS'.length;

function everyAside({ dataDir, files }: Movable, operationId: string): KnownAside[] {
  const data = memberData(dataDir);
  const { setAside, abandoned } = restorePaths(dataDir, operationId);
  const aside = (from: string, path: string, kind: SetAsideKind, type: SetAside['type']) => ({
    path,
    kind,
    type,
    operationId,
    removing: `${from}.salvor-removing-${kind}-${operationId}`,
  });
  return [
    aside(data, setAside, 'before', 'directory'),
    aside(data, abandoned, 'abandoned', 'directory'),
    aside(data, asideName(data, operationId), 'replaced', 'directory'),
    ...files.map((file) => aside(file, asideName(file, operationId), 'replaced', 'file')),
  ];
}

/** As in "3 directories and 1 file". */
export function countedInWords(found: readonly Pick<SetAside, 'type'>[]): string {
  const directories = found.filter(({ type }) => type === 'directory').length;
  const files = found.length - directories;
  return [
    ...(directories > 0 || files === 0 ? [`${directories} ${directories === 1 ? 'directory' : 'directories'}`] : []),
    ...(files > 0 ? [`${files} ${files === 1 ? 'file' : 'files'}`] : []),
  ].join(' and ');
}
