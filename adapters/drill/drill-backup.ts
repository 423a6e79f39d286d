/** Verifies a whole backup: its manifests, every copy of every artifact, and the snapshot by a restore in scratch. */
import { join } from 'node:path';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { type FailureType, SalvorError } from '../../domain/errors.ts';
import { type Flavour, traitsOf } from '../../domain/flavours/index.ts';
import { type BackupId, manifestKey } from '../../domain/format/keys.ts';
import type { SnapshotSource } from '../../domain/format/snapshot-source.ts';
import type { Verified } from '../../domain/format/verified.ts';
import { checkSnapshot, lacksHash } from '../snapshots/integrity.ts';
import { localHost } from '../hosts/local.ts';
import type { Store } from '../stores/store.ts';
import { foreignPieces, type Piece, type Pieces, piecesOf } from './pieces.ts';
import { proveSnapshot } from './prove-snapshot.ts';
import { readCopy } from '../snapshots/read-copy.ts';
import { readManifests } from './read-manifests.ts';
import { type DrillRecord, openRecord } from './record.ts';

/** The backup to drill. */
export interface DrillOrder {
  backup: BackupId;
  nodeAddress: string;
  /** The snapshot of a backup without a manifest. */
  foreign?: SnapshotSource;
}

export interface DrillOptions {
  /** An empty folder of the worker with room for two copies of the database. */
  scratch: string;
  now: () => Date;
  signal: AbortSignal;
}

export interface DrillOutcome {
  verified: Verified;
  /** The stores that hold part of the backup. */
  holders: string[];
  /** What is wrong with the backup: the failed checks and what they saw. */
  corrupt?: string;
  /** The store whose copy of the snapshot passed every check. */
  restorable?: string;
}

/**
 * Drills a backup. Faults of the backup are part of the outcome; an error means that nothing can be said about it. A
 * store that can't be read now, or lacks a copy that it should have, fails only its own check.
 * @param stores the stores whose copies are checked; the first correct snapshot is restored
 * @throws SalvorError `ArtifactMissing` when the backup is gone, as after a prune; `DecryptionFailed`, `NoSpace`,
 * `ToolMissing`, and what the stores throw
 */
export async function drillBackup(
  cluster: Cluster,
  stores: Store[],
  order: DrillOrder,
  options: DrillOptions,
): Promise<DrillOutcome> {
  const { backup, nodeAddress } = order;
  const startMs = performance.now();
  const record = openRecord();
  const read = await proveEverything(cluster, stores, order, record, options);
  if (read === undefined && record.corrupt.length === 0) {
    const places = stores.map(({ name }) => name).join(', ');
    throw (
      record.trouble() ??
      new SalvorError(
        'ArtifactMissing',
        `the snapshot of backup ${backup} of ${cluster.name} is no longer in ${places}; check whether it was pruned in the meantime`,
      )
    );
  }
  const { checks, holders, corrupt } = record;
  const [anyHolder = ''] = holders;
  return {
    verified: {
      formatVersion: 1,
      backup,
      cluster: cluster.name,
      node: { address: nodeAddress },
      verifiedAt: options.now().toISOString(),
      proof: record.proof(),
      store: read?.store ?? anyHolder,
      checks,
      durationMs: Math.round(performance.now() - startMs),
    },
    holders: [...holders],
    ...(corrupt.length > 0 && { corrupt: corrupt.join('; ') }),
    ...(read?.isProven && { restorable: read.store }),
  };
}

/**
 * @returns the store whose snapshot was read to the end and restored, if one was right, and whether it passed
 */
async function proveEverything(
  cluster: Cluster,
  stores: Store[],
  order: DrillOrder,
  record: DrillRecord,
  { scratch, signal }: DrillOptions,
): Promise<{ store: string; isProven: boolean } | undefined> {
  const { pieces, flavour } = await findPieces(cluster, stores, order, record, signal);
  const file = join(scratch, 'snapshot.db');
  let restorable: string | undefined;
  for (const piece of pieces?.all ?? []) {
    for (const store of stores) {
      const toFile = piece.isSnapshot && restorable === undefined;
      const isRight = await record.inStore(`${piece.name} in ${store.name}`, store.name, async () => {
        return await readPiece(cluster, store, piece, toFile ? file : undefined, signal);
      });
      if (isRight && toFile) restorable = store.name;
    }
  }
  if (pieces === undefined || restorable === undefined) return undefined;
  try {
    const [registryPrefix] = traitsOf(flavour).kubernetes?.registryPrefixes ?? [];
    const options = { scratch, check: record.check, signal, ...(registryPrefix !== undefined && { registryPrefix }) };
    await proveSnapshot(file, pieces.snapshot, options);
    return { store: restorable, isProven: true };
  } catch (error) {
    // The record has the check that failed.
    if (!isFailure(error, 'BackupCorrupt')) throw error;
    return { store: restorable, isProven: false };
  }
}

async function findPieces(
  cluster: Cluster,
  stores: Store[],
  { backup, nodeAddress, foreign }: DrillOrder,
  record: DrillRecord,
  signal: AbortSignal,
): Promise<{ pieces: Pieces | undefined; flavour: Flavour }> {
  if (foreign) return { pieces: foreignPieces(foreign), flavour: cluster.flavour };
  const key = manifestKey(cluster.name, nodeAddress, backup);
  const { manifest, stores: withManifest } = await readManifests(stores, key, record, signal);
  return {
    pieces: manifest && piecesOf(manifest, withManifest),
    flavour: manifest?.flavour ?? cluster.flavour,
  };
}

/**
 * Reads one copy to its end.
 * @param file where a snapshot is kept
 * @returns what was seen; undefined when there is no copy and none was expected
 */
async function readPiece(
  cluster: Cluster,
  store: Store,
  { copy, isSnapshot, isDue, skipHashCheck = false }: Piece,
  file: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const sink = async (content: AsyncIterable<Uint8Array>, where: string) => {
    const checked = isSnapshot ? checkSnapshot(content, where, { skipHashCheck }) : content;
    if (file === undefined) return await countBytes(checked);
    return (await localHost('this worker').write(file, checked, { mode: 0o600, signal })).bytes;
  };
  try {
    const bytes = await readCopy(cluster, store, copy, sink, signal);
    if (copy.expected) return `${bytes} bytes, exactly as the manifest says`;
    return skipHashCheck && lacksHash(bytes)
      ? `${bytes} bytes, whole pages without a hash: a changed page can't be detected`
      : `${bytes} bytes that match the hash etcd appended`;
  } catch (error) {
    if (isFailure(error, 'ArtifactMissing') && !isDue(store.name)) return undefined;
    throw error;
  }
}

async function countBytes(content: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of content) bytes += chunk.length;
  return bytes;
}

function isFailure(error: unknown, type: FailureType): boolean {
  return error instanceof SalvorError && error.type === type;
}
