/** Records the owner of a scratch folder, to find out later whether it is still in use. */
import { readFile, readlink, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const OWNER_FILE = '.salvor-owner';
const REFRESH_MS = 60_000;
/**
 * The age at which an owner that isn't refreshed counts as gone: a process in another container or machine can't be
 * looked at.
 */
const STALE_MS = 600_000;

/** Names this process as the owner, until `end`. */
export async function own(directory: string): Promise<{ end: () => void }> {
  const file = join(directory, OWNER_FILE);
  await writeFile(file, `${[await thisPlace(), process.pid, await startOf(process.pid)].join('\n')}\n`, {
    mode: 0o600,
  });
  const refresh = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, REFRESH_MS).unref();
  return { end: () => clearInterval(refresh) };
}

/** Whether the process that made the folder is gone. False for a folder without an owner: it isn't Salvor's. */
export async function isAbandoned(directory: string): Promise<boolean> {
  const file = join(directory, OWNER_FILE);
  const found = await stat(file).catch(() => undefined);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (found === undefined || text === undefined) return false;
  const [place, pid, start] = text.split('\n');
  const here = await thisPlace();
  if (here !== '' && place === here) return (await startOf(Number(pid))) !== start;
  return Date.now() - found.mtimeMs > STALE_MS;
}

/**
 * Where a process ID is valid: this boot of this machine and, in it, this container. Empty where the kernel doesn't
 * say.
 */
async function thisPlace(): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

/**
 * When a process was started, in the kernel's ticks: another process may have the same ID by now. Empty if it has
 * ended.
 */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // proc(5): the command's name, in parentheses, may hold anything; state is the third field, starttime the 22nd.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? '' : (fields[19] ?? '');
}
