/**
 * What is kept of each node beside the snapshot: what a node that is built anew needs before any backup helps it. Pure.
 */
import type { Cluster } from '../configuration/resolve.ts';
import { traitsOf } from '../flavours/index.ts';
import { storeHolds } from '../format/keys.ts';
import type { SentCopy } from '../format/snapshot-source.ts';

/**
 * The paths that are kept of each node: the configured ones, else the flavour's. A `*` in the last part stands for any
 * characters.
 */
export function staticResourcePaths({
  staticResources,
  flavour,
}: Pick<Cluster, 'staticResources' | 'flavour'>): readonly string[] {
  return staticResources?.paths ?? traitsOf(flavour).staticPaths;
}

/**
 * With encryption at rest: the stores in which the encrypted secrets and, in the static resources, their keys lie
 * together.
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
  /** What is in it. */
  paths: string[];
  /** What was asked for and isn't on the node. */
  absent: string[];
}
