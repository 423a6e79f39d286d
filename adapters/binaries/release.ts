/** Binaries from official releases, from their own host or a mirror, never without a checksum. */
import { basename, join } from 'node:path';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { unpack } from './archive.ts';
import { sha256OfFile, sumOf } from './checksums.ts';
import { DownloadError, fetchFile, fetchText } from './download.ts';
import { environmentVariable } from '../environment.ts';
import type { Artifact, ToolName } from './pins.ts';

/** The mirror that replaces every official host: `SALVOR_MIRROR`. @throws SalvorError `InvalidConfiguration` */
export function mirror(): string | undefined {
  const value = environmentVariable('SALVOR_MIRROR');
  if (value === undefined) return undefined;
  if (!/^https?:\/\/[^/]/.test(value)) {
    throw new SalvorError('InvalidConfiguration', `SALVOR_MIRROR: expected an http or https URL, got ${value}`);
  }
  return value.replace(/\/+$/, '');
}

/** Where a URL is fetched from: itself, or `<mirror>/<host>/<path>`, the layout that `wget -x` makes. */
export function mirrored(url: string, base: string | undefined): string {
  return base === undefined ? url : `${base}/${url.replace(/^https?:\/\//, '')}`;
}

/**
 * Downloads, checks and unpacks.
 * @param folder an empty folder for what is fetched and unpacked
 * @returns the binaries of the archive: the requested tool and the others with it
 * @throws DownloadError when the file can't be fetched; SalvorError `ToolMissing` when its sum is wrong or its archive
 * damaged
 */
export async function fetchRelease(
  tool: ToolName,
  artifact: Artifact,
  folder: string,
  { report, signal }: { report: (line: string) => void; signal?: AbortSignal | undefined },
): Promise<Map<ToolName, string>> {
  const base = mirror();
  const url = mirrored(artifact.url, base);
  const file = join(folder, basename(artifact.url));
  const expected = artifact.sha256 ?? (await releasedSum(artifact, base, signal));
  report(`downloading ${url}`);
  await fetchFile(url, file, { report, signal });
  const sum = await sha256OfFile(file);
  if (sum !== expected) {
    const origin = artifact.sha256 === undefined ? `says ${mirrored(artifact.checksumsUrl, base)}` : 'is pinned';
    throw new SalvorError(
      'ToolMissing',
      `${url} is not the released file and was discarded: its sha256 is ${sum}, but ${expected} ${origin}; check the mirror or proxy in between`,
    );
  }
  if (artifact.members === undefined) return new Map([[tool, file]]);
  const members = Object.entries(artifact.members) as [ToolName, string][];
  try {
    await unpack(
      file,
      members.map(([, member]) => member),
      folder,
      signal,
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw new SalvorError('ToolMissing', `${url} could not be unpacked: ${messageOf(error)}`, { cause: error });
  }
  return new Map(members.map(([name, member]) => [name, join(folder, member)]));
}

async function releasedSum(
  artifact: Artifact,
  base: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const url = mirrored(artifact.checksumsUrl, base);
  const sum = sumOf(basename(artifact.url), await fetchText(url, signal));
  if (sum === undefined) throw new DownloadError(url, `has no sha256 for ${basename(artifact.url)}`);
  return sum;
}
