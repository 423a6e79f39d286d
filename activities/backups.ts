/** The backups in the stores: reading them back, making them exist, finding them. */
import { mkdir } from 'node:fs/promises';
import { scratchRoot } from '../adapters/scratch/folders.ts';
import { readBack } from '../adapters/stores/copy.ts';
import { findBackup, readCatalogue } from '../adapters/catalogue/catalogue.ts';
import { putOnce } from '../adapters/stores/put-once.ts';
import { requireRoom, requireScratchRoom } from '../adapters/stores/room.ts';
import { pageOf } from '../domain/backups/backups-page.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { FAILURES, messageOf, SalvorError } from '../domain/errors.ts';
import { type Digest, formatManifest, type Manifest } from '../domain/format/manifest.ts';
import { manifestKey } from '../domain/format/keys.ts';
import type { ListBackupsInput, ListBackupsReport } from '../domain/operations/list-backups.ts';
import type { ChosenBackup } from '../domain/restore/plan.ts';
import { withoutHashCheck } from '../domain/format/snapshot-source.ts';
import { attended } from './attend.ts';
import { withStores } from './with-stores.ts';

/** After so many tries a store's manifest is given up; the operation tries no more often. */
const MANIFEST_ATTEMPTS = 3;

/** What a backup may need. */
export interface Room {
  /** In each store that holds snapshots. */
  storeBytes: number;
  /** In the worker's scratch folder. */
  scratchBytes: number;
}

export function createBackupActivities() {
  return {
    /**
     * Every store is reached, takes a small object and has room; those that don't are named, and fail only when none is left for the snapshot.
     * Without room for the database itself on the worker nothing can be read.
     */
    checkStores: attended(async ({ cluster, room }: { cluster: Cluster; room?: Room }, { signal }) => {
      if (room) {
        await mkdir(scratchRoot(), { recursive: true, mode: 0o700 });
        await requireScratchRoom(scratchRoot(), room.scratchBytes);
      }
      return await withStores(cluster, undefined, async (stores) => {
        const checks = await Promise.all(
          stores.map(async (store) => {
            try {
              await store.check(signal);
              const named = cluster.stores.find(({ name }) => name === store.name);
              if (room && named && store.holds('snapshot')) await requireRoom(named, room.storeBytes);
              return { store: store.name };
            } catch (error) {
              signal.throwIfAborted();
              return { store: store.name, error: messageOf(error), cause: error };
            }
          }),
        );
        const good = checks.filter((check) => check.error === undefined).map((check) => check.store);
        const takers = stores.filter((store) => store.holds('snapshot')).map((store) => store.name);
        const first = checks.find(({ store }) => takers.includes(store));
        if (!takers.some((store) => good.includes(store)) && first?.error !== undefined) throw first.cause;
        const failing = checks.flatMap(({ store, error, cause }) => {
          if (error === undefined) return [];
          const isFull = cause instanceof SalvorError && cause.type === 'NoSpace';
          // Then the snapshot is not even begun there.
          return [{ store, error, noRoom: isFull && takers.includes(store) }];
        });
        return { good, failing };
      });
    }),

    /** Reads one store's copy again and compares it with what was sent. */
    readBackCopy: attended(
      async (
        { cluster, store, key, expected }: { cluster: Cluster; store: string; key: string; expected: Digest },
        { signal },
      ) => {
        return await withStores(cluster, store, async ([opened]) => {
          if (opened) await readBack(opened, key, expected, signal);
          return { store, bytes: expected.bytes };
        });
      },
    ),

    /**
     * Writes the manifest to every store that has an artifact of the backup; with it the backup exists. A store that fails to take it fails only its
     * own copy, after some tries.
     */
    writeManifest: attended(
      async ({ cluster, manifest }: { cluster: Cluster; manifest: Manifest }, { signal, attempt }) => {
        const holders = new Set(manifest.artifacts.flatMap((artifact) => artifact.stores));
        const key = manifestKey(manifest.cluster, manifest.node.address, manifest.backup);
        const content = Buffer.from(formatManifest(manifest));
        return await withStores(cluster, undefined, async (stores) => {
          const written: string[] = [];
          const failing: { store: string; error: SalvorError }[] = [];
          for (const store of stores.filter((candidate) => holders.has(candidate.name))) {
            try {
              await putOnce(store, key, content, signal);
              written.push(store.name);
            } catch (error) {
              if (signal.aborted || !(error instanceof SalvorError)) throw error;
              failing.push({ store: store.name, error });
            }
          }
          const passing = failing.find(({ error }) => FAILURES[error.type].retryable);
          const [first] = failing;
          if (passing && attempt < MANIFEST_ATTEMPTS) throw passing.error;
          if (first && written.length === 0) throw first.error;
          const reasons = failing.map(({ store, error }) => ({ store, error: error.message }));
          return { key, stores: written, ...(reasons.length > 0 && { failing: reasons }) };
        });
      },
    ),

    /** One page of the list. */
    listBackups: attended(
      async (
        { cluster, store, ...page }: Omit<ListBackupsInput, 'cluster'> & { cluster: Cluster },
        { signal },
      ): Promise<ListBackupsReport> => {
        return await withStores(cluster, store, async (stores) => {
          const { entries, unreadable } = await readCatalogue(cluster, stores, signal);
          const backups = entries.map(({ entry }) => entry);
          return { cluster: cluster.name, ...pageOf(backups, page), unreadable };
        });
      },
    ),

    /** The snapshot of a backup by name, or of the newest good one by `latest`: of all, or of those taken until `at`. */
    findSnapshot: attended(
      async (
        {
          cluster,
          backup,
          at,
          store,
          skipHashCheck,
        }: { cluster: Cluster; backup: string; at?: string; store?: string; skipHashCheck?: boolean },
        { signal },
      ): Promise<ChosenBackup> => {
        return await withStores(cluster, store, async (stores) => {
          const until = at === undefined ? undefined : new Date(at);
          const chosen = findBackup(await readCatalogue(cluster, stores, signal), backup, until);
          // Its manifest names the other stores as well; from the one that was asked for it is read, or not at all.
          const found = store === undefined ? chosen : { ...chosen, stores: [store] };
          return skipHashCheck ? withoutHashCheck(found) : found;
        });
      },
    ),
  };
}
