/**
 * What tells a store from an empty directory or bucket in its place: an object `.salvor-store` with an ID, which the
 * worker and the cluster's other stores remember.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SalvorError } from '../../domain/errors.ts';
import { stateDirectory } from '../environment.ts';
import { hasErrorCode } from '../system-errors.ts';
import { IDENTITY_NAME } from './keys.ts';
import type { Store } from './store.ts';

const identitySchema = z.object({ formatVersion: z.literal(1), id: z.string().min(1).max(100) });
const siblingsSchema = z.object({ formatVersion: z.literal(1), stores: z.record(z.string(), z.string()) });

/** Where a store is, and the ID of what was there. */
type Remembered = Record<string, string>;

/**
 * Whether a store is the one that was there before. Nothing is written.
 * @param stores all of the cluster's that can be asked
 * @returns undefined when it has no ID, and is not known to have had one
 * @throws SalvorError `StoreMissing` when it has lost its ID, or has another
 */
export async function requireSameStore(
  cluster: string,
  store: Store,
  stores: readonly Store[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const id = await idOf(store, signal);
  const others = stores.filter(({ name }) => name !== store.name);
  const told = await Promise.all(others.map(async (other) => await siblingsIn(cluster, other, signal)));
  const known = [await readRecord(cluster, store), ...told.map((remembered) => remembered[store.location])];
  const expected = known.find((each) => each !== undefined && each !== id);
  if (expected === undefined) return id;
  const seen = id === undefined ? `has no ${IDENTITY_NAME}` : `is the store ${id}`;
  throw new SalvorError(
    'StoreMissing',
    `store "${store.name}" (${store.location}) ${seen}, expected ${expected}: this is not where ${cluster} was backed up to before. Is the disk mounted, is it the right bucket? ` +
      `If it is meant to take its place, put ${JSON.stringify({ formatVersion: 1, id: expected })} there as ${IDENTITY_NAME}`,
  );
}

/** Gives a store that was never seen its ID. */
export async function giveId(store: Store, signal: AbortSignal): Promise<string> {
  const text = JSON.stringify({ formatVersion: 1, id: randomUUID() });
  try {
    await store.put(IDENTITY_NAME, body(text), { signal });
  } catch (error) {
    // Another worker was faster: its ID counts.
    if (!(error instanceof SalvorError && error.type === 'ArtifactExists')) throw error;
  }
  const id = await idOf(store, signal);
  if (id !== undefined) return id;
  throw new SalvorError('StoreUnavailable', `store "${store.name}" does not give back ${IDENTITY_NAME}, which it took`);
}

/**
 * Lets worker and stores remember which stores the cluster has. What can't be noted now is noted the next time.
 * @param stores those that work
 */
export async function rememberStores(
  cluster: string,
  stores: readonly { store: Store; id: string }[],
  signal: AbortSignal,
): Promise<void> {
  const now: Remembered = Object.fromEntries(stores.map(({ store, id }) => [store.location, id]));
  for (const { store, id } of stores) {
    await writeRecord(cluster, store, id);
    const known = await siblingsIn(cluster, store, signal);
    if (Object.entries(now).every(([location, each]) => known[location] === each)) continue;
    const text = JSON.stringify({ formatVersion: 1, stores: { ...known, ...now } });
    try {
      await store.replace(`${cluster}/${IDENTITY_NAME}`, Buffer.from(text), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SalvorError)) throw error;
    }
  }
}

async function* body(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

async function idOf(store: Store, signal: AbortSignal): Promise<string | undefined> {
  const bytes = await store.read(IDENTITY_NAME, signal);
  if (bytes === undefined) return undefined;
  const found = identitySchema.safeParse(parsed(bytes));
  if (found.success) return found.data.id;
  throw new SalvorError(
    'StoreMissing',
    `store "${store.name}": ${IDENTITY_NAME} in ${store.location} is not what Salvor wrote there; put it back from a copy, or remove it if this is a new store`,
  );
}

/** A store that can't be asked, or a note that isn't one, tells nothing. */
async function siblingsIn(cluster: string, store: Store, signal: AbortSignal): Promise<Remembered> {
  const bytes = await store.read(`${cluster}/${IDENTITY_NAME}`, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    if (error instanceof SalvorError) return undefined;
    throw error;
  });
  const found = siblingsSchema.safeParse(bytes && parsed(bytes));
  return found.success ? found.data.stores : {};
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** The worker's own file of what it saw in a place. */
export function recordPath(cluster: string, { location }: Store): string {
  const name = createHash('sha256').update(`${cluster} ${location}`).digest('hex').slice(0, 32);
  return join(stateDirectory(), 'stores', name);
}

async function readRecord(cluster: string, store: Store): Promise<string | undefined> {
  try {
    return await readFile(recordPath(cluster, store), 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
    throw error;
  }
}

/** Where there is no place for it, the other stores remember. */
async function writeRecord(cluster: string, store: Store, id: string): Promise<void> {
  if ((await readRecord(cluster, store)) === id) return;
  try {
    await mkdir(join(stateDirectory(), 'stores'), { recursive: true, mode: 0o700 });
    await writeFile(recordPath(cluster, store), id, { mode: 0o600 });
  } catch (error) {
    if (!hasErrorCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR')) throw error;
  }
}
