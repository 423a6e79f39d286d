/** The worker's own machine as a host. */
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { freeBytesAt, syncDirectory } from '../files.ts';
import { hasErrorCode } from '../system-errors.ts';
import { fileFailure } from './failures.ts';
import type { Host } from './host.ts';
import { runProcess, streamProcess } from './process.ts';
import { SalvorError } from '../../domain/errors.ts';
import { refuseUnlessOwn } from './own-name.ts';
import { writeWhole } from './write.ts';

/** Streams are read in pieces of this size. */
const READ_BYTES = 1024 * 1024;

/**
 * Acts on this machine, as the worker's user.
 * @param name the node's name, for messages
 */
export function localHost(name: string): Host {
  /** Runs every action on files: it doesn't begin after an abort, and its errors become named failures. */
  async function act<T>(what: string, path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw fileFailure(error, name, what, path);
    }
  }

  return {
    name,
    run: (argv, options) => runProcess(argv, name, options),
    stream: (argv, options) => streamProcess(argv, name, options),
    typeOf: (path, signal) =>
      act('look at', path, signal, async () => {
        const found = await orAbsent(stat(path));
        return found && typeOf(found);
      }),
    list: (path, signal) =>
      act('list', path, signal, async () => {
        const entries = await readdir(path, { withFileTypes: true });
        return entries
          .map((entry) => ({ name: entry.name, type: typeOf(entry) }))
          .sort((a, b) => (a.name < b.name ? -1 : 1));
      }),
    readText: (path, signal) => act('read', path, signal, () => orAbsent(readFile(path, { encoding: 'utf8', signal }))),
    read: (path, signal) =>
      act('read', path, signal, async () => {
        const file = await open(path, 'r');
        return file.createReadStream({ highWaterMark: READ_BYTES, signal });
      }),
    write: (path, body, { mode, signal }) => act('write', path, signal, () => writeWhole(path, body, mode, signal)),
    makeDirectory: (path, { mode, signal }) =>
      act('create the directory', path, signal, async () => {
        await mkdir(path, { recursive: true, mode });
      }),
    rename: (from, to, signal) =>
      act(`rename ${from} to`, to, signal, async () => {
        // rename(2) replaces files and empty directories silently.
        if ((await orAbsent(lstat(to))) !== undefined) {
          throw new SalvorError(
            'CommandFailed',
            `${name}: ${from} can't be renamed to ${to}: the target exists; nothing was changed`,
          );
        }
        await rename(from, to);
        await syncDirectory(dirname(to));
        if (dirname(from) !== dirname(to)) await syncDirectory(dirname(from));
      }),
    removeOwn: (path, signal) =>
      act('remove', path, signal, async () => {
        refuseUnlessOwn(path, name);
        await rm(path, { recursive: true, force: true });
      }),
    freeBytes: (path, signal) => act('look for free space at', path, signal, async () => await freeBytesAt(path)),
    close: async () => {},
  };
}

function typeOf(found: { isFile(): boolean; isDirectory(): boolean }): 'file' | 'directory' | 'other' {
  if (found.isFile()) return 'file';
  return found.isDirectory() ? 'directory' : 'other';
}

async function orAbsent<T>(looked: Promise<T>): Promise<T | undefined> {
  try {
    return await looked;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
