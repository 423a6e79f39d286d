/** What this machine lacks to run the lab. */
import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { dirname, join } from 'node:path';
import { attempt } from './commands.ts';
import { labPaths } from './layout.ts';

export const PACKAGES_SCRIPT = join(import.meta.dirname, 'packages.sh');

const CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'systemd'];
const DISK_BYTES = 4e9;
const MEMORY_BYTES = 2.5e9;

/** Why the lab can't run here, one reason per line for a person; empty when it can. Changes nothing. */
export async function labMissing(directory?: string): Promise<string[]> {
  if (process.platform !== 'linux') return [`the lab needs Linux; this is ${process.platform}`];
  const reasons: string[] = [];
  if (process.getuid?.() !== 0) reasons.push('the lab needs root: it boots machines');
  const packages = await missingPackages();
  if (packages === undefined)
    reasons.push('the lab takes its programs from Debian packages, but this machine has no dpkg');
  else if (packages.length > 0) reasons.push(`not installed: ${packages.join(', ')}; run playground/lab/packages.sh`);
  reasons.push(...(await missingKernel()), ...(await missingRoom(directory)));
  return reasons;
}

/** The Debian packages that aren't installed; undefined if this machine has no dpkg. */
export async function missingPackages(): Promise<string[] | undefined> {
  if (!(await exists('/usr/bin/dpkg-query'))) return undefined;
  const { stdout } = await attempt([PACKAGES_SCRIPT, '--missing']);
  return stdout.split('\n').filter((line) => line !== '');
}

async function missingKernel(): Promise<string[]> {
  const reasons: string[] = [];
  const fileSystems = await readFile('/proc/filesystems', 'utf8');
  if (!/\boverlay$/m.test(fileSystems)) reasons.push('the kernel has no overlay file system (modprobe overlay)');
  const lacking: string[] = [];
  for (const controller of CONTROLLERS) {
    if (!(await exists(`/sys/fs/cgroup/${controller}/cgroup.procs`))) lacking.push(controller);
  }
  if (lacking.length > 0) {
    reasons.push(`the lab needs cgroup v1, and /sys/fs/cgroup lacks its ${lacking.join(', ')}`);
  }
  if (!(await exists('/dev/kmsg'))) reasons.push('the kubelet reads /dev/kmsg, which does not exist');
  return reasons;
}

async function missingRoom(directory?: string): Promise<string[]> {
  const reasons: string[] = [];
  const paths = labPaths(directory);
  const made = await exists(paths.golden);
  let folder = paths.directory;
  while (!(await exists(folder))) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  if (!made && bavail * bsize < DISK_BYTES) {
    reasons.push(
      `${paths.directory} has ${gigabytes(bavail * bsize)} free, but the lab needs ${gigabytes(DISK_BYTES)}`,
    );
  }
  const running = await exists(`/run/netns/${paths.node(1).namespace}`);
  if (!running && freemem() < MEMORY_BYTES) {
    reasons.push(`${gigabytes(freemem())} of memory is free, but the lab needs ${gigabytes(MEMORY_BYTES)}`);
  }
  return reasons;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

async function exists(path: string): Promise<boolean> {
  return await access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
