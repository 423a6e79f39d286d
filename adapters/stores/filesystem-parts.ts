/** The partial files of a filesystem store: hidden, beside their target, named after the process that writes them. */
import { randomUUID } from 'node:crypto';
import { readdir, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { codeOf } from './filesystem-errors.ts';

const PART = /^\.part-(?<host>.+)-(?<pid>\d+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The parts that this process is writing. */
const active = new Set<string>();

/** A path for a new part; {@link releasePart} it when it is gone. */
export function newPart(directory: string): string {
  const path = join(directory, `.part-${hostname()}-${process.pid}-${randomUUID()}`);
  active.add(path);
  return path;
}

export function releasePart(path: string): void {
  active.delete(path);
}

/** Removes the parts below `root` that are older than that, or whose process of this machine has ended. */
export async function sweepParts(root: string, olderThanMs: number, signal: AbortSignal): Promise<number> {
  let removed = 0;
  const entries = await readdir(root, { withFileTypes: true });
  for (const entry of entries) {
    signal.throwIfAborted();
    const path = join(root, entry.name);
    if (entry.isDirectory()) removed += await sweepParts(path, olderThanMs, signal);
    const part = entry.isFile() ? PART.exec(entry.name)?.groups : undefined;
    if (!part || active.has(path)) continue;
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
  // A part of this very process that is not active is one of its number before a restart, as in a container.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}
