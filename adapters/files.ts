/** Questions to the worker's own file systems. */
import { open, statfs } from 'node:fs/promises';

/** A renamed, linked or new file survives a power cut only if its directory was synced as well. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The number of bytes that the worker's user may still write on the disk of a path. */
export async function freeBytesAt(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
