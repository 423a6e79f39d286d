/**
 * The partial files of a filesystem store: hidden, next to their target, named after it and the process that writes
 * them.
 */
import { randomUUID } from 'node:crypto';
import { readdir, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../../system-errors.ts';

const PART = /^\.part-(?<host>.+)-(?<pid>\d+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-(?<target>.+)$/;

/** The parts that this process is writing. */
const active = new Set<string>();

/** A path for a new part of a file; call {@link releasePart} when the part is gone. */
export function newPart(target: string): string {
  const name = `.part-${hostname()}-${process.pid}-${randomUUID()}-${basename(target)}`;
  const path = join(dirname(target), name);
  active.add(path);
  return path;
}

export function releasePart(path: string): void {
  active.delete(path);
}

/**
 * Removes the parts of files whose path below `root` begins with the prefix, if they are older than the given age or
 * their process on this machine has ended.
 */
export async function sweepParts(
  root: string,
  prefix: string,
  olderThanMs: number,
  signal: AbortSignal,
): Promise<number> {
  const above = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  return await sweepDirectory(join(root, above), join(root, prefix), olderThanMs, signal);
}

async function sweepDirectory(
  directory: string,
  wanted: string,
  olderThanMs: number,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  for (const entry of entries) {
    signal.throwIfAborted();
    const path = join(directory, entry.name);
    if (entry.isDirectory() && path.startsWith(wanted)) {
      removed += await sweepDirectory(path, wanted, olderThanMs, signal);
    }
    const part = entry.isFile() ? PART.exec(entry.name)?.groups : undefined;
    if (!part || active.has(path) || !join(directory, part['target'] ?? '').startsWith(wanted)) continue;
    const ended = part['host'] === hostname() && !isRunning(Number(part['pid']));
    if (!ended && !(await isOlder(path, olderThanMs))) continue;
    await unlink(path);
    removed += 1;
  }
  return removed;
}

async function isOlder(path: string, ms: number): Promise<boolean> {
  const { mtimeMs } = await stat(path);
  return Date.now() - mtimeMs > ms;
}

function isRunning(pid: number): boolean {
  // If it names this very process but isn't active, it was left by an earlier process with the same ID, as happens when
  // a container restarts.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}
