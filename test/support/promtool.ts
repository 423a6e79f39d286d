/** Prometheus' own rule checker, from PATH or from Debian's package without installing it. */
import { execFile } from 'node:child_process';
import { access, chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../adapters/environment.ts';

const run = promisify(execFile);

/** Returns the command, or the reason why it is not available. */
export async function findPromtool(): Promise<{ path: string; missing?: never } | { path?: never; missing: string }> {
  const cached = join(cacheDirectory(), 'test', 'promtool');
  for (const path of ['promtool', cached]) {
    if (await works(path)) return { path };
  }
  const folder = `${cached}-${process.pid}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // apt drops root's rights for a download, so it could not write into a folder with mode 0700.
    await chmod(folder, 0o755);
    await run('apt-get', ['download', '--quiet', 'prometheus'], { cwd: folder });
    const [archive] = await readdir(folder);
    await run('dpkg-deb', ['--extract', archive ?? '', 'content'], { cwd: folder });
    await rename(join(folder, 'content/usr/bin/promtool'), join(dirname(cached), 'promtool'));
    return { path: cached };
  } catch (error) {
    return { missing: `there is no promtool on PATH, and apt-get gave none: ${String(error)}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function works(command: string): Promise<boolean> {
  if (
    command.includes('/') &&
    !(await access(command).then(
      () => true,
      () => false,
    ))
  )
    return false;
  return await run(command, ['--version']).then(
    () => true,
    () => false,
  );
}
