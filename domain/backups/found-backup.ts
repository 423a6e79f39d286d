/** Works out from the objects in the stores what a backup consists of and what it lacks. No I/O. */
import { isInFuture } from '../clocks.ts';
import type { Cluster } from '../configuration/resolve.ts';
import { type Manifest, type ManifestArtifact, PROOFS } from '../format/manifest.ts';
import { type ArtifactKind, type BackupId, manifestKey, type ParsedKey, timeOfBackupId } from '../format/keys.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';
import { type SnapshotSource, snapshotSourceOf } from '../format/snapshot-source.ts';
import type { Verified } from '../format/verified.ts';

/** An object of a store. */
export interface StoredObject {
  /** Relative to the store's own prefix. */
  key: string;
  bytes: number;
  modifiedAt: Date;
  /** Whether the store would refuse to remove it. Only `head` sets it, and only where the store reports it. */
  locked?: boolean;
}

/** An object and the store that holds it. */
export interface LocatedObject extends StoredObject {
  store: string;
  kind: ParsedKey['kind'];
}

export interface FoundBackup {
  entry: CatalogueEntry;
  nodeAddress: string;
  /** Absent for a foreign backup, and when no copy of the manifest can be read. */
  manifest?: Manifest;
  /** The result of the last drill. */
  verified?: Verified;
  /** How to read its snapshot; absent when no store has it. */
  source?: SnapshotSource;
  /** Everything that belongs to it in the stores that were read: artifacts, manifests, drill results, pins. */
  objects: LocatedObject[];
  /** The copies that stores that were read should have and don't. Pruned copies don't count as missing. */
  missing: MissingCopy[];
  /** Everything else that is wrong with it. */
  problems: string[];
}

export interface MissingCopy {
  store: string;
  kind: ArtifactKind | 'manifest';
  key: string;
}

/** The backups of a cluster, as its stores show them. */
export interface Catalogue {
  cluster: string;
  /** Newest first. */
  entries: FoundBackup[];
  /** Objects named like parts of a backup that belong to none: a backup was interrupted, or is being taken now. */
  orphans: LocatedObject[];
  unreadable: { store: string; error: string }[];
}

/** What was found of one backup. Manifests and drill results that can't be read are in `damaged`. */
export interface Found {
  nodeAddress: string;
  backup: BackupId;
  objects: LocatedObject[];
  manifest?: Manifest;
  verified?: Verified;
  /** The manifests and drill results that are damaged, and what is wrong with each. */
  damaged: { object: LocatedObject; problem: string }[];
}

/** @param readStores the stores that could be listed; for the others, the manifest is trusted */
export function describeBackup(cluster: Cluster, found: Found, readStores: string[]): FoundBackup {
  if (found.manifest) return describeOwn(cluster, found, found.manifest, readStores);
  const snapshots = found.objects.filter(({ kind }) => kind === 'snapshot');
  const hasManifest = found.objects.some(({ kind }) => kind === 'manifest');
  const stores = storesOf(
    cluster,
    snapshots.map(({ store }) => store),
  );
  const first = snapshots[0];
  const problems = found.damaged.map(({ problem }) => problem);
  const entry: CatalogueEntry = {
    ...commonOf(cluster, found),
    state: hasManifest ? 'broken' : 'foreign',
    revision: null,
    proof: null,
    stores,
    bytes: sizeOfOneCopy(found.objects),
    ...(hasManifest && { problem: problems.join('; ') || 'its manifest is missing' }),
  };
  const { nodeAddress, objects, backup } = found;
  const described = { entry, nodeAddress, objects, missing: [], problems };
  if (hasManifest || !first) return described;
  const { key } = first;
  const source = { backup, takenAt: entry.takenAt, key, compression: 'none', encrypted: false, stores } as const;
  return { ...described, source };
}

function describeOwn(cluster: Cluster, found: Found, manifest: Manifest, readStores: string[]): FoundBackup {
  const { nodeAddress, verified, damaged } = found;
  const keys = new Set(manifest.artifacts.map(({ key }) => key));
  const objects = found.objects.filter(({ kind, key }) => isNote(kind) || keys.has(key));
  const whole = objects.filter((object) => !damaged.some((other) => other.object === object));
  const problems = damaged.map(({ problem }) => problem);
  const holders = new Map<string, string[]>();
  for (const { kind, key, stored, stores } of manifest.artifacts) {
    const there = stores.filter((store) => !readStores.includes(store));
    for (const object of objects.filter((candidate) => candidate.key === key)) {
      if (object.bytes === stored.bytes) there.push(object.store);
      else problems.push(`${kind} in ${object.store} has ${object.bytes} bytes, expected ${stored.bytes}`);
    }
    holders.set(key, storesOf(cluster, there));
    if (there.length === 0) problems.push(`no store has ${kind}`);
  }
  for (const check of verified?.checks.filter(({ ok }) => !ok) ?? []) {
    problems.push(`the last drill failed: ${check.name}: ${check.seen}`);
  }
  for (const { kind, node, reason } of manifest.lacking ?? [])
    problems.push(`${kind} of ${node} could not be saved: ${reason}`);
  const described: FoundBackup = {
    entry: {
      ...commonOf(cluster, found),
      takenAt: manifest.takenAt,
      state: [...holders.values()].some((stores) => stores.length === 0) ? 'broken' : 'complete',
      revision: manifest.etcd.revision,
      // Each copy was read back before its store got the manifest. A drill proves more, and the last drill counts.
      proof: verified?.proof ?? PROOFS[1],
      stores: storesOf(cluster, [...holders.values()].flat()),
      bytes: manifest.artifacts.reduce((sum, { stored }) => sum + stored.bytes, 0),
    },
    nodeAddress,
    manifest,
    ...(verified && { verified }),
    objects,
    missing: readStores.flatMap((store) => lackedBy(store, manifest, whole)),
    problems,
  };
  const degraded = damaged.length > 0 || (manifest.lacking ?? []).length > 0;
  if (degraded && described.entry.state === 'complete') described.entry.state = 'degraded';
  const snapshot = manifest.artifacts.find(({ kind }) => kind === 'snapshot');
  const snapshotStores = snapshot ? (holders.get(snapshot.key) ?? []) : [];
  if (snapshotStores.length === 0) return described;
  return { ...described, source: { ...snapshotSourceOf(manifest), stores: snapshotStores } };
}

/**
 * What a store should have of a backup and doesn't. A store gets the manifest last: without the manifest, its copies
 * aren't known to be whole.
 * @param objects the backup's objects, in any store
 */
export function lackedBy(store: string, manifest: Manifest, objects: LocatedObject[]): MissingCopy[] {
  const there = objects.filter((object) => object.store === store);
  const wanted = manifest.artifacts.filter((artifact) => isIntended(manifest, artifact, store));
  const lacked: MissingCopy[] = wanted
    .filter(({ key, stored }) => !there.some((object) => object.key === key && object.bytes === stored.bytes))
    .map(({ kind, key }) => ({ store, kind, key }));
  const hasManifest = there.some(({ kind }) => kind === 'manifest');
  if (hasManifest || lacked.length === wanted.length) return lacked;
  const { cluster, node, backup } = manifest;
  return [...lacked, { store, kind: 'manifest', key: manifestKey(cluster, node.address, backup) }];
}

/** Whether the store should have a copy of the artifact. */
export function isIntended(manifest: Manifest, { kind, stores }: ManifestArtifact, store: string): boolean {
  return (
    stores.includes(store) || manifest.intendedStores.some((each) => each.store === store && each.kinds.includes(kind))
  );
}

/** Completes the entry that people see: missing copies make it degraded, and are named in its problem. */
export function withVerdict(found: FoundBackup, now: Date): FoundBackup {
  const { entry, missing, problems } = found;
  const lacking = missing.map(({ store, kind }) => `${store} lacks ${kind === 'manifest' ? 'the manifest' : kind}`);
  const state = missing.length > 0 && entry.state === 'complete' ? 'degraded' : entry.state;
  const future = isInFuture(entry.takenAt, now) ? ['it is dated in the future: a clock was wrong'] : [];
  const problem = [...problems, ...future, ...lacking].join('; ');
  return { ...found, entry: { ...entry, state, ...(problem !== '' && { problem }) } };
}

function commonOf(cluster: Cluster, { backup, nodeAddress, objects }: Found) {
  return {
    backup,
    takenAt: timeOfBackupId(backup)?.toISOString() ?? '',
    node: cluster.nodes.find(({ address }) => address === nodeAddress)?.name ?? nodeAddress,
    pinned: objects.some(({ kind }) => kind === 'pinned'),
  };
}

/** Each store once, in the order of the configuration, in which they are read. */
function storesOf(cluster: Cluster, names: string[]): string[] {
  const configured = cluster.stores.map(({ name }) => name);
  const unique = [...new Set(names)];
  return [
    ...configured.filter((name) => unique.includes(name)),
    ...unique.filter((name) => !configured.includes(name)),
  ];
}

function sizeOfOneCopy(objects: LocatedObject[]): number {
  const sizes = new Map(objects.filter(({ kind }) => !isNote(kind)).map(({ key, bytes }) => [key, bytes]));
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

export function isNote(kind: ParsedKey['kind']): kind is Exclude<ParsedKey['kind'], ArtifactKind> {
  return kind === 'manifest' || kind === 'verified' || kind === 'pinned';
}
