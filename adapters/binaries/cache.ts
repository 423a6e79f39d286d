/** The cache of binaries: one folder per tool, version and platform, moved into place whole and checked on use. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheDirectory } from '../environment.ts';
import { sha256OfFile } from './checksums.ts';
import { releaseOf, thisPlatform, type ToolName } from './pins.ts';
import { hasErrorCode } from '../system-errors.ts';

const RECORD = 'record.json';
const STAGING_PREFIX = '.staging-';
/** The age at which a staging folder belongs to a process that died; no download or build takes this long. */
const STAGING_KEPT_MS = 24 * 3_600_000;

const recordSchema = z.object({
  version: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  source: z.enum(['download', 'registry']),
  /** The URL, or what the registry was asked for. */
  from: z.string(),
});

export type CacheRecord = z.infer<typeof recordSchema>;

export type Cached =
  { state: 'absent' } | { state: 'good'; path: string; version: string } | { state: 'corrupt'; why: string };

/** Files whose sum was right in this process, for as long as they are unchanged. */
const verified = new Map<string, string>();

/** The folder that holds all tools. */
export function toolsDirectory(): string {
  return join(cacheDirectory(), 'tools');
}

/** Looks a tool up. Its bytes are compared with the recorded sum, once per process and file. */
export async function lookUp(tool: ToolName): Promise<Cached> {
  const path = join(folderOf(tool), tool);
  const text = await readFile(join(folderOf(tool), RECORD), 'utf8').catch(() => undefined);
  const status = await stat(path).catch(() => undefined);
  if (status === undefined && text === undefined) return { state: 'absent' };
  const record = parseRecord(text);
  if (status === undefined || record === undefined) {
    return { state: 'corrupt', why: `${folderOf(tool)} lacks the binary or its record` };
  }
  const key = [path, status.ino, status.size, status.mtimeMs].join(' ');
  const sum = verified.get(key) ?? (await sha256OfFile(path));
  if (sum !== record.sha256) {
    return {
      state: 'corrupt',
      why: `${path} has sha256 ${sum}, expected ${record.sha256}, which was recorded when it was stored`,
    };
  }
  verified.set(key, sum);
  return { state: 'good', path, version: record.version };
}

/** Runs `work` with a new folder next to the cached tools, and removes the folder afterwards. */
export async function withStaging<T>(work: (folder: string) => Promise<T>): Promise<T> {
  await removeOldStaging();
  const folder = join(toolsDirectory(), `${STAGING_PREFIX}${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Moves a finished binary from a staging folder into the cache, replacing a corrupt one. */
export async function install(tool: ToolName, staged: string, origin: Omit<CacheRecord, 'sha256'>): Promise<string> {
  const record: CacheRecord = { ...origin, sha256: await sha256OfFile(staged) };
  await withStaging(async (folder) => {
    const complete = join(folder, 'complete');
    await mkdir(complete);
    await rename(staged, join(complete, tool));
    await writeFile(join(complete, RECORD), `${JSON.stringify(record, null, 2)}\n`);
    // A folder that isn't empty can't be replaced by a rename: the old one is removed first.
    await rename(folderOf(tool), join(folder, 'former')).catch(ignoreMissing);
    await rename(complete, folderOf(tool));
  });
  return join(folderOf(tool), tool);
}

function folderOf(tool: ToolName): string {
  return join(toolsDirectory(), `${tool}-${releaseOf(tool).release.version}-${thisPlatform()}`);
}

function parseRecord(text: string | undefined): CacheRecord | undefined {
  if (text === undefined) return undefined;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function removeOldStaging(): Promise<void> {
  for (const name of await readdir(toolsDirectory()).catch(() => [])) {
    if (!name.startsWith(STAGING_PREFIX)) continue;
    const folder = join(toolsDirectory(), name);
    const status = await stat(folder).catch(() => undefined);
    if (status && Date.now() - status.mtimeMs > STAGING_KEPT_MS) await rm(folder, { recursive: true, force: true });
  }
}

function ignoreMissing(error: unknown): void {
  if (!hasErrorCode(error, 'ENOENT')) throw error;
}
