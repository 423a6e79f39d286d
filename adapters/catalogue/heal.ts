/** Gives a store the copies that it lacks, from the stores that have them. */
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { type Digest, type ManifestArtifact, parseManifest } from '../../domain/format/manifest.ts';
import { copyArtifact, readBack } from '../stores/copy.ts';
import { type FoundBackup, isIntended, lackedBy } from '../../domain/backups/found-backup.ts';
import { putOnce } from '../stores/put-once.ts';
import type { Store } from '../stores/store.ts';

export interface Healed {
  key: string;
  from: string;
  bytes: number;
}

/**
 * Makes a store's copy of a backup whole: every artifact that the store should have is copied, or read again if it is
 * there; the manifest is written last. An object that differs from the manifest is replaced once the right bytes have
 * been read elsewhere.
 * @param others the stores to read from
 * @returns what was copied
 * @throws SalvorError `ArtifactMissing` when no other store has the right bytes, `AccessDenied` when a lock is in the
 * way, and what `to` throws
 */
export async function healCopy(found: FoundBackup, to: Store, others: Store[], signal: AbortSignal): Promise<Healed[]> {
  const { manifest, objects } = found;
  if (!manifest) throw new SalvorError('BackupCorrupt', `${found.entry.backup} has no readable manifest`);
  const healed: Healed[] = [];
  for (const artifact of manifest.artifacts.filter((each) => isIntended(manifest, each, to.name))) {
    if (await isRight(to, artifact, signal)) continue;
    const from = await copyFromAny(artifact, to, others, signal);
    healed.push({ key: artifact.key, from, bytes: artifact.stored.bytes });
  }
  // A store's manifest says that all of its copies have been read back.
  const noteObjects = objects.filter(({ kind }) => kind === 'manifest');
  for (const from of others) {
    const object = noteObjects.find(({ store }) => store === from.name);
    const text = object && (await readManifest(from, object.key, signal));
    if (!text) continue;
    if (await isSame(to, object.key, text, signal)) return healed;
    await makeWay(to, object.key, signal);
    await putOnce(to, object.key, text, signal);
    return [...healed, { key: object.key, from: from.name, bytes: text.byteLength }];
  }
  if (lackedBy(to.name, manifest, objects).every(({ kind }) => kind !== 'manifest')) return healed;
  throw new SalvorError('ArtifactMissing', `no other store has the manifest of ${found.entry.backup}`);
}

async function isRight(store: Store, { key, stored }: ManifestArtifact, signal: AbortSignal): Promise<boolean> {
  return await whether(async () => await readBack(store, key, stored, signal));
}

async function copyFromAny(
  { key, stored }: ManifestArtifact,
  to: Store,
  others: Store[],
  signal: AbortSignal,
): Promise<string> {
  const reasons: string[] = [];
  for (const from of others) {
    if (!(await hasSize(from, key, stored, signal))) continue;
    if (await to.head(key, signal)) {
      // The object in the way may be the only copy: it is removed only once a better one is certain.
      if (!(await whether(async () => await readBack(from, key, stored, signal)))) continue;
      await makeWay(to, key, signal);
    }
    try {
      await copyArtifact(from, to, key, stored, signal);
      await readBack(to, key, stored, signal);
      return from.name;
    } catch (error) {
      if (!(error instanceof SalvorError && error.type === 'BackupCorrupt')) throw error;
      reasons.push(messageOf(error));
    }
  }
  throw new SalvorError(
    'ArtifactMissing',
    `no other store has a correct copy of ${key}${reasons.map((each) => `; ${each}`).join('')}`,
  );
}

async function hasSize(store: Store, key: string, { bytes }: Digest, signal: AbortSignal): Promise<boolean> {
  const object = await store.head(key, signal).catch(() => undefined);
  signal.throwIfAborted();
  return object?.bytes === bytes;
}

async function makeWay(store: Store, key: string, signal: AbortSignal): Promise<void> {
  if ((await store.remove(key, signal)) !== 'locked') return;
  throw new SalvorError(
    'AccessDenied',
    `${key} in store "${store.name}" differs from its manifest, and a lock prevents its removal; lift the lock, then heal again`,
  );
}

async function readManifest(store: Store, key: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const bytes = await store.read(key, signal).catch(() => undefined);
  signal.throwIfAborted();
  if (!bytes) return undefined;
  const isSound = await whether(() => {
    parseManifest(Buffer.from(bytes).toString(), `${key} in store "${store.name}"`);
  });
  return isSound ? bytes : undefined;
}

async function isSame(store: Store, key: string, text: Uint8Array, signal: AbortSignal): Promise<boolean> {
  const there = await store.read(key, signal);
  return there !== undefined && Buffer.from(there).equals(text);
}

/** Whether a check passes; false when it finds wrong bytes or nothing. Other errors are rethrown. */
async function whether(check: () => Promise<void> | void): Promise<boolean> {
  try {
    await check();
    return true;
  } catch (error) {
    if (error instanceof SalvorError && ['BackupCorrupt', 'ArtifactMissing'].includes(error.type)) return false;
    throw error;
  }
}
