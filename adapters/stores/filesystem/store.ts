/** A store in a directory of the worker: files of 0600 in directories of 0700. */
import type { StoredObject } from '../../../domain/backups/found-backup.ts';
import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FilesystemStoreConfiguration } from '../../../domain/configuration/stores.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { syncDirectory } from '../../files.ts';
import { hasErrorCode } from '../../system-errors.ts';
import { storeHolds } from '../../../domain/format/keys.ts';
import { abortReason, inBatches, untilAborted } from '../../encoding/streams.ts';
import { filesystemError } from './errors.ts';
import { linkGuard } from './links.ts';
import { listFiles } from './list.ts';
import { newPart, releasePart, sweepParts } from './parts.ts';
import { checkKey, SMALL_OBJECT_BYTES, tooLarge } from '../keys.ts';
import type { PutOptions, Store } from '../store.ts';
import { wholeBody } from '../whole-body.ts';

const WRITE_BYTES = 1024 * 1024;
const READ_BYTES = 1024 * 1024;
/** A link is not followed: a list doesn't show it either. */
const READ_FILE = constants.O_RDONLY | constants.O_NOFOLLOW;

/**
 * A store in the directory `path`, which must exist: if the right disk is not mounted, creating the directory would
 * fill the wrong one. An object becomes visible by a hard link, which never overwrites: the file system must support
 * them.
 */
export function filesystemStore(configuration: FilesystemStoreConfiguration & { name: string }): Store {
  const { name, path: root } = configuration;
  const refuseLinks = linkGuard(name, root);

  function pathOf(key: string): string {
    checkKey(name, key);
    return join(root, key);
  }

  function failure(error: unknown, what: string): Error {
    return filesystemError(error, name, what);
  }

  async function requireRoot(): Promise<void> {
    const found = await stat(root).catch((error: unknown) => {
      throw rootError(error);
    });
    if (!found.isDirectory()) throw rootError(Object.assign(new Error('not a directory'), { code: 'ENOTDIR' }));
  }

  function rootError(error: unknown): Error {
    if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return failure(error, root);
    return new SalvorError(
      'StoreMissing',
      `store "${name}": ${root} is not a directory; create it, or mount the disk that belongs there`,
      { cause: error },
    );
  }

  /** The file's state; undefined when the root exists and the file doesn't. */
  async function look(key: string): Promise<Stats | undefined> {
    try {
      await refuseLinks(key);
      const found = await lstat(pathOf(key));
      return found.isFile() ? found : undefined;
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw failure(error, key);
      await requireRoot();
      return undefined;
    }
  }

  return {
    name,
    location: `file://${root}`,
    holds: (kind) => storeHolds(configuration, kind),

    async check(signal) {
      signal.throwIfAborted();
      await requireRoot();
      const path = join(root, `.salvor-check-${randomUUID()}`);
      const linked = `${path}-linked`;
      await toStore(path, async () => {
        try {
          await writeFile(path, path, { mode: 0o600, flag: 'wx' });
          // The same way as `put`: not every file system has hard links.
          await link(path, linked);
          if ((await readFile(linked, 'utf8')) !== path) throw new Error('read back different bytes than were written');
        } finally {
          for (const made of [path, linked]) await unlink(made).catch(() => undefined);
        }
      });
    },

    async now(signal) {
      signal.throwIfAborted();
      await requireRoot();
      const path = join(root, `.salvor-check-${randomUUID()}`);
      return await toStore(path, async () => {
        try {
          // The server of a mounted directory stamps it.
          await writeFile(path, '', { mode: 0o600, flag: 'wx' });
          return (await stat(path)).mtime;
        } finally {
          await unlink(path).catch(() => undefined);
        }
      });
    },

    async put(key, body, options) {
      const path = pathOf(key);
      await requireRoot();
      const exists = new SalvorError('ArtifactExists', `store "${name}" already has ${key}, which was left unchanged`);
      if (await look(key)) throw exists;
      const directory = dirname(path);
      const part = newPart(path);
      let handle: FileHandle | undefined;
      try {
        handle = await toStore(key, () => createPart(part, directory, root));
        const written = await write(handle, key, body, options);
        options.signal.throwIfAborted();
        const file = handle;
        await toStore(key, async () => {
          await file.sync();
          await link(part, path).catch((error: unknown) => {
            throw hasErrorCode(error, 'EEXIST') ? exists : error;
          });
          await syncDirectory(directory);
        });
        return written;
      } finally {
        await handle?.close();
        await unlink(part).catch(() => undefined);
        releasePart(part);
      }
    },

    async replace(key, bytes, signal) {
      const path = pathOf(key);
      signal.throwIfAborted();
      await requireRoot();
      const directory = dirname(path);
      await toStore(key, async () => await refuseLinks(key));
      const part = newPart(path);
      try {
        await toStore(key, async () => {
          const handle = await createPart(part, directory, root);
          try {
            await handle.appendFile(bytes);
            await handle.sync();
          } finally {
            await handle.close();
          }
          await rename(part, path);
          await syncDirectory(directory);
        });
      } finally {
        await unlink(part).catch(() => undefined);
        releasePart(part);
      }
    },

    async get(key, signal) {
      signal.throwIfAborted();
      const found = await look(key);
      if (!found) throw new SalvorError('ArtifactMissing', `store "${name}" has no ${key}`);
      const handle = await toStore(key, () => open(pathOf(key), READ_FILE));
      const where = `${key} in store "${name}"`;
      const source = handle.createReadStream({ highWaterMark: READ_BYTES });
      return wholeBody(source, { bytes: found.size, where, signal, toError: (error) => failure(error, key) });
    },

    async read(key, signal) {
      signal.throwIfAborted();
      // Opened at once, without checking first: lists of backups read thousands.
      await toStore(key, async () => await refuseLinks(key));
      const handle = await open(pathOf(key), READ_FILE).catch(async (error: unknown) => {
        if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw failure(error, key);
        await requireRoot();
        return undefined;
      });
      if (!handle) return undefined;
      try {
        const { size } = await handle.stat();
        if (size > SMALL_OBJECT_BYTES) throw tooLarge(name, key, size);
        return await toStore(key, () => handle.readFile());
      } finally {
        await handle.close();
      }
    },

    async head(key, signal) {
      signal.throwIfAborted();
      const found = await look(key);
      return found && { key, bytes: found.size, modifiedAt: found.mtime };
    },

    async *list(prefix, signal): AsyncGenerator<StoredObject, void> {
      await requireRoot();
      try {
        yield* listFiles({ name, root }, prefix, signal);
      } catch (error) {
        throw signal.aborted ? abortReason(signal) : failure(error, `${prefix}*`);
      }
    },

    async remove(key, signal) {
      signal.throwIfAborted();
      if (!(await look(key))) return 'absent';
      const path = pathOf(key);
      try {
        await unlink(path);
        await syncDirectory(dirname(path));
        return 'removed';
      } catch (error) {
        if (hasErrorCode(error, 'ENOENT')) return 'absent';
        // The error for files under `chattr +i` and the like; missing permissions on the directory are EACCES.
        if (hasErrorCode(error, 'EPERM')) return 'locked';
        throw failure(error, key);
      }
    },

    async sweepParts(prefix, olderThanMs, signal) {
      await requireRoot();
      return toStore(root, () => sweepParts(root, prefix, olderThanMs, signal));
    },

    close() {},
  };

  async function toStore<T>(what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw failure(error, what);
    }
  }

  async function write(
    handle: FileHandle,
    key: string,
    body: AsyncIterable<Uint8Array>,
    { signal, onProgress }: PutOptions,
  ): Promise<{ bytes: number }> {
    let bytes = 0;
    for await (const batch of inBatches(untilAborted(body, signal), WRITE_BYTES)) {
      // It continues until everything is written; a single write may write less.
      await toStore(key, () => handle.appendFile(batch));
      bytes += batch.length;
      onProgress?.(bytes);
    }
    return { bytes };
  }
}

async function createPart(part: string, directory: string, root: string): Promise<FileHandle> {
  const created = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (created !== undefined) {
    // A new directory survives a crash only if its parent was synced as well.
    for (let above = dirname(directory); above.length >= root.length; above = dirname(above))
      await syncDirectory(above);
  }
  return open(part, 'wx', 0o600);
}
