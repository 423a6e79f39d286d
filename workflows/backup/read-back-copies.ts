/** Reads back every copy that was written: a store whose copy differs counts as failed. */
import { isCancellation } from '../kit/engine.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { ManifestArtifact } from '../../domain/format/manifest.ts';
import type { ArtifactReport } from '../../domain/operations/backup.ts';
import { stream } from '../kit/activities.ts';
import { reasonOf } from '../kit/failure.ts';
import type { SentCopy } from '../../domain/format/snapshot-source.ts';

/** An artifact as it was sent to the stores. */
export interface Sent extends Omit<ManifestArtifact, 'stores'> {
  copies: SentCopy[];
}

/** An artifact as the stores gave it back. */
export interface ReadBack extends Omit<Sent, 'copies'> {
  copies: ArtifactReport['copies'];
}

export async function readBackCopies(cluster: Cluster, artifacts: Sent[]): Promise<ReadBack[]> {
  return await Promise.all(
    artifacts.map(async (artifact) => ({
      ...artifact,
      copies: await Promise.all(artifact.copies.map((copy) => readBackCopy(cluster, artifact, copy))),
    })),
  );
}

async function readBackCopy(
  cluster: Cluster,
  { key, stored }: Sent,
  { store, state, error, readBack }: Sent['copies'][number],
): Promise<ReadBack['copies'][number]> {
  if (state === 'failed') return { store, key, state, ...(error !== undefined && { error }) };
  if (readBack) return { store, key, state };
  try {
    await stream.readBackCopy({ cluster, store, key, expected: stored });
    return { store, key, state };
  } catch (failed) {
    if (isCancellation(failed)) throw failed;
    return { store, key, state: 'failed', error: reasonOf(failed) };
  }
}

export function isComplete({ state }: ReadBack['copies'][number]): boolean {
  return state === 'complete';
}

/** The error of each store, for a message. */
export function whatFailed({ copies }: ReadBack): string {
  return copies.map(({ store, error }) => `${store}: ${error ?? ''}`).join('; ');
}
