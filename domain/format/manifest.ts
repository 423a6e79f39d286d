/** The manifest: the JSON object that makes artifacts a backup. */
import { z } from 'zod';
import { FLAVOUR_NAMES } from '../flavours/index.ts';
import { ARTIFACT_KINDS, timeOfBackupId } from './keys.ts';
import { formatNote, parseNote } from './sealed.ts';

/** How far a backup is proven; each level includes the ones before it. */
export const PROOFS = ['written', 'readBack', 'hashed', 'restored', 'served'] as const;
export type Proof = (typeof PROOFS)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in lower-case hexadecimal');
const bytes = z.number().int().nonnegative();
/** etcd's 64-bit numbers are decimal strings: they don't fit a JavaScript number. */
const uint64 = z.string().regex(/^\d{1,20}$/, 'expected a decimal number as a string');

/** etcd says -1 for a key space that was never compacted. */
const int64 = z.string().regex(/^-?\d{1,19}$/, 'expected a decimal number as a string');

export const digestSchema = z.strictObject({ bytes, sha256 });

const artifactSchema = z.strictObject({
  kind: z.enum(ARTIFACT_KINDS),
  /** The node that it is of, for what differs from node to node. */
  node: z.string().min(1).optional(),
  /** Where it lies in each store that holds it, below the store's own prefix. */
  key: z.string().min(1),
  compression: z.enum(['none', 'zstd', 'gzip']),
  encrypted: z.boolean(),
  /** Before compression and encryption. For a snapshot: what `etcdctl snapshot save` would have written. */
  content: digestSchema,
  /** After compression and encryption: what lies in the store. */
  stored: digestSchema,
  /** The stores that had a complete copy, read back, when the manifest was written. */
  stores: z.array(z.string().min(1)).min(1),
});

/** What is known of a snapshot and of the member that gave it. */
export const etcdSchema = z.strictObject({
  version: z.string(),
  clusterId: uint64,
  memberId: uint64,
  /** Read from the snapshot's bytes, not asked for before it. */
  revision: uint64,
  totalKeys: z.number().int().nonnegative(),
  /**
   * Of the key space at `revision` in the snapshot, as the source and a restored member give it; absent when the source
   * had compacted it.
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
  /** The age recipients (public keys) that can read it. */
  recipients: z.array(z.string()).optional(),
  /**
   * Every store that was to have a copy: one that is missing here and in an artifact's `stores` makes the backup
   * degraded.
   */
  intendedStores: z.array(z.strictObject({ store: z.string(), kinds: z.array(z.enum(ARTIFACT_KINDS)) })),
  artifacts: z.array(artifactSchema).min(1),
  /**
   * What should have been kept as well and could not be: it makes the backup degraded, and no other store can heal it.
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
 * @throws SalvorError `BackupCorrupt`, naming every field that is wrong, or that it was changed
 */
export function parseManifest(text: string, where: string): Manifest {
  return parseNote(manifestSchema, text, where, 'a manifest');
}

/**
 * The manifest as it is stored: JSON for people with a digest of its own, ending in a newline.
 * @throws SalvorError `BackupCorrupt` for one that could not be read again
 */
export function formatManifest(manifest: Manifest): string {
  const text = formatNote(manifest);
  parseManifest(text, `the manifest to be written for ${manifest.cluster} ${manifest.backup}`);
  return text;
}

/** The first artifact of a kind: the only one, but for static resources, of which every node has its own. */
export function artifactOf(manifest: Manifest, kind: ManifestArtifact['kind']): ManifestArtifact | undefined {
  return manifest.artifacts.find((artifact) => artifact.kind === kind);
}
