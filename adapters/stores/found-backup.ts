/** From the objects that lie in the stores to what they are as a backup. No I/O. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { type Manifest, type ManifestArtifact, PROOFS } from '../../domain/manifest.ts';
import { type ArtifactKind, type BackupId, manifestKey, type ParsedKey, timeOfBackupId } from '../../domain/names.ts';
import type { CatalogueEntry } from '../../domain/operations.ts';
import { type SnapshotSource, snapshotSourceOf } from '../../domain/snapshot-source.ts';
import type { Verified } from '../../domain/verified.ts';
import type { StoredObject } from './store.ts';

/** An object and the store in which it lies. */
export interface LocatedObject extends StoredObject {
  store: string;
  kind: ParsedKey['kind'];
}

export interface FoundBackup {
  entry: CatalogueEntry;
  nodeAddress: string;
  /** Absent for a foreign one, and when no copy of it can be read. */
  manifest?: Manifest;
  /** What the last drill saw. */
  verified?: Verified;
  /** The way to its snapshot; absent when no store has it. */
  source?: SnapshotSource;
  /** All that belongs to it, in every store that was read: artifacts, manifests, drill results, pins. */
  objects: LocatedObject[];
  /** The copies that should be there and aren't, in stores that were read. */
  missing: { store: string; kind: ArtifactKind | 'manifest'; key: string }[];
}

/** What was found of one backup; the notes as far as they could be read. */
export interface Found {
  nodeAddress: string;
  backup: BackupId;
  objects: LocatedObject[];
  manifest?: Manifest;
  verified?: Verified;
  /** Why a manifest or drill result could not be read. */
  problems: string[];
}

/** @param readStores the stores whose list is known; of others the manifest is believed */
export function describeBackup(cluster: Cluster, found: Found, readStores: string[]): FoundBackup {
  if (found.manifest) return describeOwn(cluster, found, found.manifest, readStores);
  const snapshots = found.objects.filter(({ kind }) => kind === 'snapshot');
  const hasManifest = found.objects.some(({ kind }) => kind === 'manifest');
  const stores = storesOf(
    cluster,
    snapshots.map(({ store }) => store),
  );
  const first = snapshots[0];
  const entry: CatalogueEntry = {
    ...commonOf(cluster, found),
    state: hasManifest ? 'broken' : 'foreign',
    revision: null,
    proof: null,
    stores,
    bytes: sizeOfOneCopy(found.objects),
    ...(hasManifest && { problem: found.problems.join('; ') || 'its manifest is gone' }),
  };
  const { nodeAddress, objects, backup } = found;
  if (hasManifest || !first) return { entry, nodeAddress, objects, missing: [] };
  const { key } = first;
  const source = { backup, takenAt: entry.takenAt, key, compression: 'none', encrypted: false, stores } as const;
  return { entry, nodeAddress, source, objects, missing: [] };
}

function describeOwn(cluster: Cluster, found: Found, manifest: Manifest, readStores: string[]): FoundBackup {
  const { nodeAddress, verified } = found;
  const keys = new Set(manifest.artifacts.map(({ key }) => key));
  const objects = found.objects.filter(({ kind, key }) => isNote(kind) || keys.has(key));
  const problems = [...found.problems];
  const missing: FoundBackup['missing'] = [];
  const holders = new Map<string, string[]>();
  for (const artifact of manifest.artifacts) {
    const { kind, key, stored } = artifact;
    const there = new Set(artifact.stores.filter((store) => !readStores.includes(store)));
    for (const object of objects.filter((candidate) => candidate.key === key)) {
      if (object.bytes === stored.bytes) there.add(object.store);
      else problems.push(`${kind} in ${object.store} has ${object.bytes} bytes, expected ${stored.bytes}`);
    }
    holders.set(key, storesOf(cluster, [...there]));
    for (const store of intendedFor(manifest, artifact).filter(
      (name) => readStores.includes(name) && !there.has(name),
    )) {
      missing.push({ store, kind, key });
      problems.push(`${store} lacks ${kind}`);
    }
    if (there.size === 0) problems.push(`no store has ${kind}`);
  }
  const noteKey = manifestKey(cluster.name, nodeAddress, found.backup);
  const stores = storesOf(cluster, [...holders.values()].flat());
  for (const store of stores.filter((name) => readStores.includes(name))) {
    if (objects.some((object) => object.store === store && object.kind === 'manifest')) continue;
    missing.push({ store, kind: 'manifest', key: noteKey });
    problems.push(`${store} lacks the manifest`);
  }
  const broken = [...holders.values()].some((some) => some.length === 0);
  for (const check of verified?.checks.filter(({ ok }) => !ok) ?? []) {
    problems.push(`the last drill failed: ${check.name}: ${check.seen}`);
  }
  const entry: CatalogueEntry = {
    ...commonOf(cluster, found),
    takenAt: manifest.takenAt,
    state: broken ? 'broken' : missing.length > 0 || found.problems.length > 0 ? 'degraded' : 'complete',
    revision: manifest.etcd.revision,
    // Each copy was read back before the manifest was written; a drill says more, and the last one counts.
    proof: verified?.proof ?? PROOFS[1],
    stores,
    bytes: manifest.artifacts.reduce((sum, { stored }) => sum + stored.bytes, 0),
    ...(problems.length > 0 && { problem: problems.join('; ') }),
  };
  const described = { entry, nodeAddress, manifest, ...(verified && { verified }), objects, missing };
  const snapshot = manifest.artifacts.find(({ kind }) => kind === 'snapshot');
  const snapshotStores = snapshot ? (holders.get(snapshot.key) ?? []) : [];
  if (snapshotStores.length === 0) return described;
  return { ...described, source: { ...snapshotSourceOf(manifest), stores: snapshotStores } };
}

function commonOf(cluster: Cluster, { backup, nodeAddress, objects }: Found) {
  return {
    backup,
    takenAt: timeOfBackupId(backup)?.toISOString() ?? '',
    node: cluster.nodes.find(({ address }) => address === nodeAddress)?.name ?? nodeAddress,
    pinned: objects.some(({ kind }) => kind === 'pinned'),
  };
}

function intendedFor(manifest: Manifest, { kind, stores }: ManifestArtifact): string[] {
  const intended = manifest.intendedStores.filter(({ kinds }) => kinds.includes(kind)).map(({ store }) => store);
  return [...new Set([...intended, ...stores])];
}

/** Each store once, in the configuration's order: the one in which they are read. */
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

export function isNote(kind: ParsedKey['kind']): boolean {
  return kind === 'manifest' || kind === 'verified' || kind === 'pinned';
}
