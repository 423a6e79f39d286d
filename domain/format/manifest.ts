/** The manifest: the JSON object that turns artifacts into a backup. */
import { z } from 'zod';
import { FLAVOUR_NAMES } from '../flavours/index.ts';
import { ARTIFACT_KINDS, timeOfBackupId } from './keys.ts';
import { formatNote, parseNote } from './sealed.ts';

/** How far a backup is proven; each level includes the ones before it. */
export const PROOFS = ['written', 'readBack', 'hashed', 'restored', 'served'] as const;
export type Proof = (typeof PROOFS)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in lower-case hexadecimal');
const bytes = z.number().int().nonnegative();
/** etcd's 64-bit numbers are decimal strings, because they don't fit into a JavaScript number. */
const uint64 = z.string().regex(/^\d{1,20}$/, 'expected a decimal number as a string');

/** etcd reports -1 for a key space that was never compacted. */
const int64 = z.string().regex(/^-?\d{1,19}$/, 'expected a decimal number as a string');

export const digestSchema = z.strictObject({ bytes, sha256 });

const artifactSchema = z.strictObject({
  kind: z.enum(ARTIFACT_KINDS),
  /** The node that it comes from, for artifacts that differ from node to node. */
  node: z.string().min(1).optional(),
  /** Its key in each store that holds it, relative to the store's own prefix. */
  key: z.string().min(1),
  compression: z.enum(['none', 'zstd', 'gzip']),
  encrypted: z.boolean(),
  /** Before compression and encryption. For a snapshot: what `etcdctl snapshot save` would have written. */
  content: digestSchema,
  /** After compression and encryption: what the store holds. */
  stored: digestSchema,
  /** The stores that had a complete copy, read back, when the manifest was written. */
  stores: z.array(z.string().min(1)).min(1),
});

/** What is known about a snapshot and the member that it was read from. */
export const etcdSchema = z.strictObject({
  version: z.string(),
  clusterId: uint64,
  memberId: uint64,
  /** Read from the snapshot itself; the member wasn't asked beforehand. */
  revision: uint64,
  totalKeys: z.number().int().nonnegative(),
  /**
   * The hash of the snapshot's key space at `revision`, as the source and a restored member report it; absent when the
   * source had compacted that revision.
   */
  hashKv: z.strictObject({ revision: uint64, compactRevision: int64, hash: z.string() }).optional(),
  members: z.array(
    z.strictObject({ id: uint64, name: z.string(), peerUrls: z.array(z.string()), learner: z.boolean() }),
  ),
});

const manifestSchema = z.strictObject({
  formatVersion: z.literal(1),
  salvor: z.string(),
  backup: z.string().refine((id) => timeOfBackupId(id) !== undefined, 'expected YYYYmmdd-HHMMSS'),
  cluster: z.string().min(1),
  flavour: z.enum(FLAVOUR_NAMES),
  node: z.strictObject({ name: z.string().min(1), address: z.string().min(1) }),
  /** When the snapshot's stream began, in UTC. */
  takenAt: z.iso.datetime(),
  etcd: etcdSchema,
  kubernetes: z.strictObject({ version: z.string() }).optional(),
  /** The age recipients (public keys) whose identities can decrypt it. */
  recipients: z.array(z.string()).optional(),
  /**
   * Every store that should have a copy. The backup is degraded if such a store is missing from an artifact's `stores`
   * and has no copy.
   */
  intendedStores: z.array(z.strictObject({ store: z.string(), kinds: z.array(z.enum(ARTIFACT_KINDS)) })),
  artifacts: z.array(artifactSchema).min(1),
  /**
   * Artifacts that should have been kept too but could not be. They make the backup degraded, and no other store can
   * heal it.
   */
  lacking: z
    .array(z.strictObject({ kind: z.enum(ARTIFACT_KINDS), node: z.string().min(1), reason: z.string() }))
    .optional(),
});

export type Digest = z.infer<typeof digestSchema>;
export type ManifestArtifact = z.infer<typeof artifactSchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Reads a manifest.
 * @param where named in the message of an error: the store and key
 * @throws SalvorError `BackupCorrupt`, naming every wrong field, or saying that the manifest was changed
 */
export function parseManifest(text: string, where: string): Manifest {
  return parseNote(manifestSchema, text, where, 'a manifest');
}

/**
 * The manifest as it is stored: JSON for people with a digest of its own, ending in a newline.
 * @throws SalvorError `BackupCorrupt` for a manifest that could not be read again
 */
export function formatManifest(manifest: Manifest): string {
  const text = formatNote(manifest);
  parseManifest(text, `the manifest to be written for ${manifest.cluster} ${manifest.backup}`);
  return text;
}

/** The first artifact of a kind. It is the only one, except for static resources: every node has its own. */
export function artifactOf(manifest: Manifest, kind: ManifestArtifact['kind']): ManifestArtifact | undefined {
  return manifest.artifacts.find((artifact) => artifact.kind === kind);
}
