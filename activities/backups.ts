/** The backups in the stores: finding them, reading them back, and writing the manifests that make them exist. */
import { mkdir } from 'node:fs/promises';
import { writeManifest } from '../adapters/backup/write-manifest.ts';
import { scratchRoot } from '../adapters/scratch/folders.ts';
import { readBack } from '../adapters/stores/copy.ts';
import { findBackup, readCatalogue } from '../adapters/catalogue/catalogue.ts';
import { checkStores } from '../adapters/stores/check-stores.ts';
import { requireScratchRoom } from '../adapters/stores/room.ts';
import { pageOf } from '../domain/backups/backups-page.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import type { Digest, Manifest } from '../domain/format/manifest.ts';
import type { ListBackupsInput, ListBackupsReport } from '../domain/operations/list-backups.ts';
import type { ChosenBackup } from '../domain/restore/plan.ts';
import { withoutHashCheck } from '../domain/format/snapshot-source.ts';
import { attended } from './attend.ts';
import { withStores } from './with-stores.ts';

/** After this many attempts to write its manifest, a store is given up. The operation makes no more attempts. */
const MANIFEST_ATTEMPTS = 3;

/** The room that a backup may need. */
export interface Room {
  /** In each store that holds snapshots. */
  storeBytes: number;
  /** In the worker's scratch folder. */
  scratchBytes: number;
}

export function createBackupActivities() {
  return {
    /**
     * Checks that every store can be reached, takes a small object and has room. Stores that fail are named; the
     * activity fails only when no store is left for the snapshot, or when the worker has no room for the database:
     * nothing could be read back then.
     */
    checkStores: attended(async ({ cluster, room }: { cluster: Cluster; room?: Room }, { signal }) => {
      if (room) {
        await mkdir(scratchRoot(), { recursive: true, mode: 0o700 });
        await requireScratchRoom(scratchRoot(), room.scratchBytes);
      }
      return await withStores(cluster, undefined, async (stores) => {
        return await checkStores(cluster, stores, room?.storeBytes, signal);
      });
    }),

    /** Reads one store's copy back and compares it with what was sent. */
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
     * Writes the manifest to every store that has an artifact of the backup; from then on the backup exists. A store
     * that doesn't take it after a few attempts loses only its own copy.
     */
    writeManifest: attended(
      async ({ cluster, manifest }: { cluster: Cluster; manifest: Manifest }, { signal, attempt }) => {
        return await withStores(cluster, undefined, async (stores) => {
          return await writeManifest(stores, manifest, { lastTry: attempt >= MANIFEST_ATTEMPTS, signal });
        });
      },
    ),

    /** Returns one page of the list. */
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

    /**
     * Finds the snapshot of a backup by its name, or of the newest good backup by `latest`. With `at`, only backups
     * taken until then count.
     */
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
          // The manifest names the other stores as well, but the snapshot must come from the requested one.
          const found = store === undefined ? chosen : { ...chosen, stores: [store] };
          return skipHashCheck ? withoutHashCheck(found) : found;
        });
      },
    ),
  };
}
