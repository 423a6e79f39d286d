/** The etcd 3.4 that Debian 12 ships, unpacked into the cache, not installed. */
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProcess } from '../../adapters/hosts/process.ts';
import { messageOf } from '../../domain/errors.ts';
import { cacheDirectory } from '../../adapters/environment.ts';

const DOWNLOAD_MS = 120_000;

/** Returns the folder with `etcd` and `etcdctl`, or the reason why they are not available. */
export async function debianEtcd(): Promise<{ folder: string } | { missing: string }> {
  const unpacked = join(cacheDirectory(), 'debian-etcd');
  const folder = join(unpacked, 'usr/bin');
  if (
    await access(join(folder, 'etcdctl')).then(
      () => true,
      () => false,
    )
  )
    return { folder };
  const scratch = await mkdtemp(join(tmpdir(), 'salvor-debian-'));
  try {
    // Apt downloads as its own user; if only root may enter the folder, apt only warns and downloads as root.
    await run(['apt-get', 'download', 'etcd-server', 'etcd-client'], scratch).catch(async () => {
      await run(['apt-get', 'update', '-q'], scratch);
      await run(['apt-get', 'download', 'etcd-server', 'etcd-client'], scratch);
    });
    const packages = (await readdir(scratch)).filter((name) => name.endsWith('.deb'));
    for (const name of packages) await run(['dpkg-deb', '-x', name, 'unpacked'], scratch);
    await mkdir(dirname(unpacked), { recursive: true });
    await rm(unpacked, { recursive: true, force: true });
    await run(['cp', '-r', 'unpacked', `${unpacked}.new`], scratch);
    await rename(`${unpacked}.new`, unpacked);
    return { folder };
  } catch (error) {
    return { missing: `Debian's etcd-server and etcd-client are not to be had here: ${messageOf(error)}` };
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function run(argv: readonly [string, ...string[]], cwd: string): Promise<void> {
  const inFolder = ['sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', cwd, ...argv] as const;
  const { exitCode, stderr } = await runProcess(inFolder, 'here', {
    signal: AbortSignal.timeout(DOWNLOAD_MS),
    timeoutMs: DOWNLOAD_MS,
  });
  if (exitCode !== 0) throw new Error(`\`${argv.join(' ')}\`: ${stderr.trim().split('\n').at(-1) ?? ''}`);
}
