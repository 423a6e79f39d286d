/**
 * The names of the objects in a store. The layout is that of the design and of the cron scripts: `<cluster>/<node
 * address>/snapshot-<time>.db`. Keys are relative to the store's own prefix.
 */

/** The kinds of file in a backup. A new kind needs a name here, a row in `ARTIFACTS`, and an activity that takes it. */
export const ARTIFACT_KINDS = ['snapshot', 'static-resources', 'resources', 'volume'] as const;
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

export interface ArtifactTraits {
  /** The end of its name, without the suffixes for compression and encryption; null while nothing writes it. */
  format: string | null;
  /**
   * Whether a backup can't exist without it. A backup that lacks an artifact of another kind is degraded. Healing
   * copies all kinds alike and checks their digests.
   */
  isRequired: boolean;
  /** What a drill does with it, besides reading every copy and checking its digest. */
  drill: 'restore' | 'none';
  /** Whether other tools and older scripts write it too, without a manifest. */
  isTakenByOthers: boolean;
}

export const ARTIFACTS: Record<ArtifactKind, ArtifactTraits> = {
  snapshot: { format: 'db', isRequired: true, drill: 'restore', isTakenByOthers: true },
  'static-resources': { format: 'tar.gz', isRequired: false, drill: 'none', isTakenByOthers: true },
  resources: { format: 'ndjson', isRequired: false, drill: 'none', isTakenByOthers: false },
  volume: { format: null, isRequired: false, drill: 'none', isTakenByOthers: false },
};

/** Whether a store takes a kind of artifact. It takes all kinds unless `holds` names some. */
export function storeHolds({ holds }: { holds?: readonly ArtifactKind[] | undefined }, kind: ArtifactKind): boolean {
  return holds?.includes(kind) ?? true;
}

/** A backup's name within its cluster: its UTC time, `YYYYmmdd-HHMMSS`. */
export type BackupId = string;

const BACKUP_ID = /^(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})$/;

/** The name of a backup taken at `time`; fractions of a second are dropped. */
export function backupIdOf(time: Date): BackupId {
  const iso = time.toISOString();
  return `${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 19).replaceAll(':', '')}`;
}

/** The time in a backup's name, or undefined when the text isn't one. */
export function timeOfBackupId(id: string): Date | undefined {
  const match = BACKUP_ID.exec(id);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date accepts 31 February and makes it a day in March; such a name isn't a time.
  return !Number.isNaN(time.getTime()) && backupIdOf(time) === id ? time : undefined;
}

export interface Encoding {
  compression: Compression;
  encrypted: boolean;
}

/** `<cluster>/<node address>/`: the prefix of the backups taken from one node. */
export function nodePrefix(cluster: string, nodeAddress: string): string {
  return `${cluster}/${nodeAddress}/`;
}

/** The key of an etcd snapshot: `snapshot-<id>.db[.zst][.age]`. */
export function snapshotKey(cluster: string, nodeAddress: string, backup: BackupId, encoding: Encoding): string {
  return artifactKey('snapshot', cluster, nodeAddress, backup, encoding);
}

/** The key of the static resources: `static-resources-<id>.tar.gz[.age]`. */
export function staticResourcesKey(cluster: string, nodeAddress: string, backup: BackupId, encrypted: boolean): string {
  return artifactKey('static-resources', cluster, nodeAddress, backup, { compression: 'none', encrypted });
}

function artifactKey(
  kind: ArtifactKind,
  cluster: string,
  nodeAddress: string,
  backup: BackupId,
  { compression, encrypted }: Encoding,
): string {
  const suffix = `${compression === 'zstd' ? '.zst' : ''}${encrypted ? '.age' : ''}`;
  return `${nodePrefix(cluster, nodeAddress)}${kind}-${backup}.${ARTIFACTS[kind].format}${suffix}`;
}

/** The key of the manifest: `backup-<id>.json`. It is written last: the backup exists once it is there. */
export function manifestKey(cluster: string, nodeAddress: string, backup: BackupId): string {
  return `${nodePrefix(cluster, nodeAddress)}backup-${backup}.json`;
}

/** The key of the last drill's result: `verified-<id>.json`. */
export function verifiedKey(cluster: string, nodeAddress: string, backup: BackupId): string {
  return `${nodePrefix(cluster, nodeAddress)}verified-${backup}.json`;
}

/** The key of a pin: `pinned-<id>.json`. While any store has it, the backup is not pruned. */
export function pinnedKey(cluster: string, nodeAddress: string, backup: BackupId): string {
  return `${nodePrefix(cluster, nodeAddress)}pinned-${backup}.json`;
}

/** What a key's name says about its object. */
export interface ParsedKey extends Encoding {
  cluster: string;
  nodeAddress: string;
  backup: BackupId;
  kind: ArtifactKind | 'manifest' | 'verified' | 'pinned';
}

const KEY =
  /^(?<cluster>[^/]+)\/(?<node>[^/]+)\/(?:(?<note>backup|verified|pinned)-(?<noteId>[\d-]+)\.json|(?<kind>[a-z-]+)-(?<id>\d[\d-]*)\.(?<format>[a-z.]+?)(?<zst>\.zst)?(?<age>\.age)?)$/;

const NOTES = { backup: 'manifest', verified: 'verified', pinned: 'pinned' } as const;

/** Reads a key; undefined if it doesn't follow this naming. */
export function parseKey(key: string): ParsedKey | undefined {
  const groups = KEY.exec(key)?.groups;
  if (!groups) return undefined;
  const { cluster, node, note, noteId, kind, id, format, zst, age } = groups;
  const backup = noteId ?? id;
  if (cluster === undefined || node === undefined || backup === undefined || !timeOfBackupId(backup)) return undefined;
  const place = { cluster, nodeAddress: node, backup };
  if (note === 'backup' || note === 'verified' || note === 'pinned') {
    return { ...place, kind: NOTES[note], compression: 'none', encrypted: false };
  }
  const artifact = ARTIFACT_KINDS.find((known) => known === kind);
  if (artifact === undefined || ARTIFACTS[artifact].format !== format) return undefined;
  return { ...place, kind: artifact, compression: zst ? 'zstd' : 'none', encrypted: age !== undefined };
}

/** An artifact that another tool or an older script wrote. */
export interface ForeignKey {
  nodeAddress: string;
  backup: BackupId;
  kind: 'snapshot' | 'static-resources';
}

const FOREIGN_TIME = String.raw`(?<date>\d{4}-?\d\d-?\d\d)[-_T]?(?<time>\d\d[-:]?\d\d[-:]?\d\d)Z?`;
const FOREIGN = new RegExp(
  String.raw`^[^/]+/(?<node>[^/]+)/(?:[^/]+/)?(?:(?:etcd[-_])?(?<snapshot>snapshot|backup)[-_]${FOREIGN_TIME}\.db|static[-_](?:kube)?resources[-_]${FOREIGN_TIME}\.tar\.gz)$`,
);

/**
 * Reads the key of an artifact that has no manifest: `snapshot-<time>.db` and `etcd-snapshot-<time>.db` from older
 * scripts, with the time in any usual form, and the files that OpenShift's `cluster-backup.sh` writes
 * (`snapshot_<time>.db` and `static_kuberesources_<time>.tar.gz`). The time is assumed to be UTC.
 */
export function parseForeignKey(key: string): ForeignKey | undefined {
  const groups = FOREIGN.exec(key)?.groups;
  const { node, date, time, snapshot } = groups ?? {};
  if (node === undefined || date === undefined || time === undefined) return undefined;
  const backup = `${date.replaceAll('-', '')}-${time.replaceAll(/[-:]/g, '')}`;
  if (!timeOfBackupId(backup)) return undefined;
  return { nodeAddress: node, backup, kind: snapshot === undefined ? 'static-resources' : 'snapshot' };
}

export const COMPRESSIONS = ['none', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];
