/** The backups in the stores: reading them back, making them exist, finding them. */
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
     * Every store is reached, takes a small object and has room; those that don't are named, and fail only when none is
     * left for the snapshot. Without room for the database itself on the worker nothing can be read.
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
     * Writes the manifest to every store that has an artifact of the backup; with it the backup exists. A store that
     * fails to take it fails only its own copy, after some tries.
     */
    writeManifest: attended(
      async ({ cluster, manifest }: { cluster: Cluster; manifest: Manifest }, { signal, attempt }) => {
        return await withStores(cluster, undefined, async (stores) => {
          return await writeManifest(stores, manifest, { lastTry: attempt >= MANIFEST_ATTEMPTS, signal });
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

    /**
     * The snapshot of a backup by name, or of the newest good one by `latest`: of all, or of those taken until `at`.
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
          // Its manifest names the other stores as well; from the one that was asked for it is read, or not at all.
          const found = store === undefined ? chosen : { ...chosen, stores: [store] };
          return skipHashCheck ? withoutHashCheck(found) : found;
        });
      },
    ),
  };
}
