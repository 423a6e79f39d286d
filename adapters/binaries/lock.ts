/** One process at a time provides a release; the others wait for it, unless it has died. */
import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toolsDirectory } from './cache.ts';
import { hasErrorCode } from '../system-errors.ts';

const POLL_MS = 250;
const REFRESH_MS = 5_000;
/**
 * A lock that its holder has not refreshed for this long is abandoned: a process on another machine or in another
 * container can't be checked.
 */
const STALE_MS = 60_000;
const REPORT_EVERY_MS = 15_000;

/**
 * Runs `work` while holding the lock. The lock only avoids duplicate work: binaries are renamed into place whole, so
 * two holders do no harm (a paused machine can look dead).
 * @param report called with the process that is waited for
 */
export async function withLock<T>(
  name: string,
  options: { report: (line: string) => void; signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  const path = join(toolsDirectory(), `.${name}.lock`);
  await mkdir(toolsDirectory(), { recursive: true });
  await take(path, name, options);
  const refresh = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, REFRESH_MS).unref();
  try {
    return await work();
  } finally {
    clearInterval(refresh);
    await rm(path, { force: true });
  }
}

async function take(
  path: string,
  name: string,
  { report, signal }: { report: (line: string) => void; signal?: AbortSignal | undefined },
): Promise<void> {
  let reportedAt = -Infinity;
  for (;;) {
    signal?.throwIfAborted();
    if (await create(path)) return;
    const holder = await holderOf(path);
    if (holder === undefined) continue;
    if (holder.dead) {
      await rm(path, { force: true });
      continue;
    }
    if (performance.now() - reportedAt > REPORT_EVERY_MS) {
      reportedAt = performance.now();
      report(`${name}: waiting for process ${holder.who}, which is fetching or building it`);
    }
    await delay(POLL_MS, undefined, signal ? { signal } : {});
  }
}

async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(`${process.pid} ${hostname()}`);
    await file.close();
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function holderOf(path: string): Promise<{ who: string; dead: boolean } | undefined> {
  try {
    const [pid, host] = (await readFile(path, 'utf8')).split(' ');
    const { mtimeMs } = await stat(path);
    const here = host === hostname() && pid !== undefined;
    const dead = (here && !isAlive(Number(pid))) || Date.now() - mtimeMs > STALE_MS;
    return { who: here ? pid : `${pid} on ${host}`, dead };
  } catch {
    // It was released in the meantime.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasErrorCode(error, 'EPERM');
  }
}
