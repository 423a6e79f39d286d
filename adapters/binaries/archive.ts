/** Takes single files out of archives, with the programs that every supported machine has: tar, and Python for zip. */
import { execa } from 'execa';

/**
 * Unpacks the named members of a `.tar.gz`, or all of a `.zip` or `.whl`, into a folder.
 * @throws Error when the archive is damaged or lacks a member
 */
export async function unpack(
  archive: string,
  members: readonly string[],
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [command, ...args]: [string, ...string[]] = archive.endsWith('.tar.gz')
    ? ['tar', '-xzf', archive, '-C', folder, ...members]
    : ['python3', '-m', 'zipfile', '-e', archive, folder];
  await execa(command, args, { stdin: 'ignore', ...(signal ? { cancelSignal: signal } : {}) });
}
