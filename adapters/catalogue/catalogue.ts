/** The backups of a cluster, read from its stores: nothing else records them. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { type Manifest, parseManifest } from '../../domain/format/manifest.ts';
import { ARTIFACTS, parseForeignKey, parseKey } from '../../domain/format/keys.ts';
import { inItsPlace } from '../../domain/format/sealed.ts';
import type { ChosenBackup } from '../../domain/restore/plan.ts';
import { parseVerified, type Verified } from '../../domain/format/verified.ts';
import {
  type Catalogue,
  describeBackup,
  type Found,
  type FoundBackup,
  isNote,
  type LocatedObject,
  type StoredObject,
  withVerdict,
} from '../../domain/backups/found-backup.ts';
import { inParallel } from '../stores/in-parallel.ts';
import { requireSameStore } from '../stores/identity.ts';
import { readNote } from './note-cache.ts';
import { withoutPruned } from '../../domain/retention/retained.ts';
import type { Store } from '../stores/store.ts';
import { isGood } from '../../domain/backups/catalogue-entry.ts';

const READS_AT_ONCE = 16;
const NAMED_IN_ERRORS = 5;

/**
 * Lists the cluster's part of every store and reads the manifests; this process reads each unchanged manifest only
 * once.
 * @param now decides which missing copies their store's retention no longer requires
 * @throws SalvorError what a store threw, when none can be read
 */
export async function readCatalogue(
  cluster: Cluster,
  stores: Store[],
  signal: AbortSignal,
  now: Date = new Date(),
): Promise<Catalogue> {
  const unreadable = new Map<string, SalvorError>();
  const lists = await Promise.all(
    stores.map(async (store) => {
      try {
        await requireSameStore(cluster.name, store, stores, signal);
        return await listStore(cluster.name, store, signal);
      } catch (error) {
        noteUnreadable(unreadable, store, error, signal);
        return [];
      }
    }),
  );
  const [first] = unreadable.values();
  if (first && unreadable.size === stores.length) throw first;
  const listed = stores.filter(({ name }) => !unreadable.has(name));
  const readStores = listed.map(({ name }) => name);

  const { groups, strays } = group(lists.flat());
  await inParallel(groups, READS_AT_ONCE, async (found) => await readNotes(found, listed, unreadable, signal));
  const straysByKey = Map.groupBy(strays, ({ key }) => key);
  const described = groups.map((found) => {
    // An object that belongs to another node is stored with that node's; the manifest names it.
    const named = found.manifest?.artifacts.flatMap(({ key }) => straysByKey.get(key) ?? []) ?? [];
    return describeBackup(cluster, { ...found, objects: [...found.objects, ...named] }, readStores);
  });
  // An artifact that no manifest names belongs to another attempt.
  const belonging = new Set(described.flatMap(({ objects }) => objects));
  const orphans = [...strays, ...groups.flatMap(({ objects }) => objects)].filter((object) => !belonging.has(object));
  const entries = withoutPruned(cluster, described, now).map((found) => withVerdict(found, now));
  entries.sort((a, b) => (newestFirst(a) < newestFirst(b) ? 1 : -1));
  const report = [...unreadable].map(([store, error]) => ({ store, error: error.message }));
  return { cluster: cluster.name, entries, orphans, unreadable: report };
}

function newestFirst({ entry }: FoundBackup): string {
  return `${entry.backup} ${entry.node}`;
}

function noteUnreadable(unreadable: Map<string, SalvorError>, store: Store, error: unknown, signal: AbortSignal): void {
  signal.throwIfAborted();
  if (!(error instanceof SalvorError)) throw error;
  unreadable.set(store.name, error);
}

interface ListedObject extends LocatedObject {
  nodeAddress: string;
  backup: string;
  /** Another tool or an older script could have written it. */
  foreign: boolean;
}

async function listStore(cluster: string, store: Store, signal: AbortSignal): Promise<ListedObject[]> {
  const objects: ListedObject[] = [];
  for await (const object of store.list(`${cluster}/`, signal)) {
    const own = parseKey(object.key);
    const parsed = own ?? parseForeignKey(object.key);
    if (!parsed) continue;
    const { nodeAddress, backup, kind } = parsed;
    const plain = own === undefined || (own.compression === 'none' && !own.encrypted);
    const foreign = plain && !isNote(kind) && ARTIFACTS[kind].isTakenByOthers;
    objects.push({ ...object, store: store.name, nodeAddress, backup, kind, foreign });
  }
  return objects;
}

/** Groups objects by node and time; without a manifest only a plain snapshot makes a backup. */
function group(objects: ListedObject[]): { groups: Found[]; strays: LocatedObject[] } {
  const byBackup = Map.groupBy(objects, ({ nodeAddress, backup }) => `${nodeAddress}/${backup}`);
  const groups: Found[] = [];
  const strays: LocatedObject[] = [];
  for (const members of byBackup.values()) {
    const [first] = members;
    if (!first) continue;
    const { nodeAddress, backup } = first;
    if (members.some(({ kind }) => kind === 'manifest')) {
      groups.push({ nodeAddress, backup, objects: members, damaged: [] });
      continue;
    }
    const isForeign = members.some(({ kind, foreign }) => foreign && kind === 'snapshot');
    const belongs = members.filter(({ kind, foreign }) => isForeign && (foreign || isNote(kind)));
    if (isForeign) groups.push({ nodeAddress, backup, objects: belongs, damaged: [] });
    strays.push(...members.filter((member) => !belongs.includes(member)));
  }
  return { groups, strays };
}

/** Reads the manifest from the first store whose copy is right, and the latest drill result. */
async function readNotes(
  found: Found,
  stores: Store[],
  unreadable: Map<string, SalvorError>,
  signal: AbortSignal,
): Promise<void> {
  for (const store of stores) {
    for (const object of found.objects.filter((candidate) => candidate.store === store.name)) {
      try {
        if (object.kind === 'manifest' && !found.manifest) {
          const manifest = await readNote(store, object, parseInPlace(parseManifest, object), signal);
          if (manifest) found.manifest = manifest;
        } else if (object.kind === 'verified') {
          const verified = await readNote(store, object, parseInPlace(parseVerified, object), signal);
          if (verified && (!found.verified || verified.verifiedAt > found.verified.verifiedAt))
            found.verified = verified;
        }
      } catch (error) {
        if (!(error instanceof SalvorError && error.type === 'BackupCorrupt')) {
          noteUnreadable(unreadable, store, error, signal);
        }
        found.damaged.push({ object, problem: messageOf(error) });
      }
    }
  }
}

/** A whole note stored under another backup's name would vouch for that backup. */
function parseInPlace<T extends Manifest | Verified>(parse: (text: string, where: string) => T, { key }: StoredObject) {
  return (text: string, where: string) => inItsPlace(parse(text, where), key, where);
}

/**
 * Finds a backup by its name, or with `latest` the newest good one: complete or degraded, never broken. A foreign
 * backup is found only by its name.
 * @param at with `latest`: the newest that was taken at this time or before it
 * @throws SalvorError `UnknownBackup`, naming the newest few that exist
 */
export function chooseBackup(catalogue: Catalogue, idOrLatest: string, at?: Date): FoundBackup {
  const { entries, unreadable, cluster } = catalogue;
  const good = entries.filter(({ entry }) => isGood(entry) && (at === undefined || new Date(entry.takenAt) <= at));
  // Two nodes may have been backed up in the same second.
  const named = [...good, ...entries].find(({ entry }) => entry.backup === idOrLatest);
  const chosen = idOrLatest === 'latest' ? good[0] : named;
  if (chosen) return chosen;
  const some = entries.slice(0, NAMED_IN_ERRORS).map(({ entry }) => `${entry.backup} (${entry.state})`);
  const until = at === undefined ? '' : ` taken at ${at.toISOString()} or before`;
  const what =
    idOrLatest === 'latest' ? `${cluster} has no good backup${until}` : `${cluster} has no backup ${idOrLatest}`;
  const there = some.length > 0 ? `the newest are ${some.join(', ')}` : 'it has no backups at all';
  const unread = unreadable.map(({ store, error }) => `; ${store} can't be read: ${error}`).join('');
  throw new SalvorError('UnknownBackup', `${what}; ${there}${unread}`);
}

/**
 * The snapshot of a backup chosen as by {@link chooseBackup}.
 * @throws SalvorError `UnknownBackup`, or `ArtifactMissing` or `BackupCorrupt` for a broken backup whose snapshot can't
 * be read
 */
export function findBackup(catalogue: Catalogue, idOrLatest: string, at?: Date): ChosenBackup {
  const { entry, source, manifest } = chooseBackup(catalogue, idOrLatest, at);
  if (source) return { ...source, proof: entry.proof, state: entry.state };
  const type = manifest ? 'ArtifactMissing' : 'BackupCorrupt';
  throw new SalvorError(
    type,
    `the snapshot of ${catalogue.cluster} ${entry.backup} can't be read: ${entry.problem ?? ''}`,
  );
}
