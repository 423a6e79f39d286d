/**
 * The files that a backup keeps of each node in addition to the snapshot. A node that is rebuilt needs them before a
 * snapshot is of any use. Pure.
 */
import type { Cluster } from '../configuration/resolve.ts';
import { traitsOf } from '../flavours/index.ts';
import { storeHolds } from '../format/keys.ts';
import type { SentCopy } from '../format/snapshot-source.ts';

/**
 * The paths that are kept of each node: those of the configuration, otherwise those of the flavour. A `*` in the last
 * part stands for any characters.
 */
export function staticResourcePaths({
  staticResources,
  flavour,
}: Pick<Cluster, 'staticResources' | 'flavour'>): readonly string[] {
  return staticResources?.paths ?? traitsOf(flavour).staticPaths;
}

/**
 * With encryption at rest: the stores that hold both the encrypted secrets and, in the static resources, their keys.
 */
export function keysBesideSnapshots({ encryptionAtRest, stores }: Cluster): string[] {
  if (encryptionAtRest !== true) return [];
  return stores
    .filter((store) => storeHolds(store, 'snapshot') && storeHolds(store, 'static-resources'))
    .map(({ name }) => name);
}

/** The archive of one node's static resources, as it was sent to the stores. */
export interface StaticResourcesTaken {
  node: string;
  key: string;
  encrypted: boolean;
  content: { bytes: number; sha256: string };
  stored: { bytes: number; sha256: string };
  copies: SentCopy[];
  /** The paths that it contains. */
  paths: string[];
  /** Paths that should be kept and aren't on the node. */
  absent: string[];
}
