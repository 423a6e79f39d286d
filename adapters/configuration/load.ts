/** Reads `salvor.yaml`, or a directory of such files. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../../domain/configuration/problems.ts';
import {
  checkConfiguration,
  type Cluster,
  configurationWarnings,
  invalidConfiguration,
  resolveCluster,
} from '../../domain/configuration/resolve.ts';
import type { Configuration } from '../../domain/configuration/schema.ts';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { readYaml, type YamlFile } from './document.ts';
import { resolveWorkerPaths } from './worker-paths.ts';

export interface LoadedConfiguration {
  /** Undefined when there are problems. */
  configuration: Configuration | undefined;
  /** The same with paths as they are written; for the digest of a cluster. */
  asWritten?: Configuration;
  problems: Problem[];
  warnings: Problem[];
}

/**
 * Loads the configuration from a file, or from a directory of `*.yaml` and `*.yml` files, and makes the worker's paths
 * absolute.
 * @throws SalvorError `InvalidConfiguration`, listing every problem with its file, line and path
 */
export async function loadConfiguration(path: string): Promise<Configuration> {
  const { configuration, problems } = await readConfiguration(path);
  if (configuration === undefined) throw invalidConfiguration(path, problems);
  return configuration;
}

/**
 * One cluster of such a configuration, with its digest.
 * @throws SalvorError `InvalidConfiguration` as above; `UnknownCluster`, naming the clusters there are
 */
export async function loadCluster(path: string, name: string): Promise<Cluster> {
  const { configuration, asWritten, problems } = await readConfiguration(path);
  if (configuration === undefined) throw invalidConfiguration(path, problems);
  return resolveCluster(configuration, name, asWritten);
}

/**
 * Does the same, but returns problems and warnings as values.
 * @throws SalvorError `InvalidConfiguration` when there is nothing to read
 */
export async function readConfiguration(path: string): Promise<LoadedConfiguration> {
  const files: YamlFile[] = [];
  const syntax: Problem[] = [];
  for (const file of await configurationFiles(path)) {
    const read = readYaml(file, await readText(file));
    if ('problems' in read) syntax.push(...read.problems);
    else files.push(read);
  }
  if (syntax.length > 0) return { configuration: undefined, problems: syntax, warnings: [] };
  return merge(files);
}

/**
 * Merges the parts of several files. A store or cluster that two files define is a problem: neither takes precedence.
 */
function merge(files: YamlFile[]): LoadedConfiguration {
  const problems: Problem[] = [];
  const origins = new Map<string, YamlFile>();
  const sections = new Map<string, unknown>();
  const claim = (file: YamlFile, path: string[]) => {
    const key = JSON.stringify(path);
    const first = origins.get(key);
    if (first === undefined) origins.set(key, file);
    else
      problems.push({ path: path.join('.'), message: `also defined in ${first.locate(path)}`, at: file.locate(path) });
  };
  for (const file of files) {
    if (file.value === undefined) continue;
    if (!isRecord(file.value)) {
      problems.push({ path: '', message: 'expected "stores:" and "clusters:"', at: file.locate([]) });
      continue;
    }
    for (const [section, value] of Object.entries(file.value)) {
      const before = sections.get(section);
      if (isRecord(value) && (before === undefined || isRecord(before))) {
        for (const name of Object.keys(value)) claim(file, [section, name]);
        sections.set(section, { ...before, ...value });
      } else if (value !== null) {
        claim(file, [section]);
        sections.set(section, value);
      }
    }
  }
  if (problems.length > 0) return { configuration: undefined, problems, warnings: [] };

  const originOf = (path: PropertyKey[]) =>
    origins.get(JSON.stringify(path.slice(0, 2))) ??
    origins.get(JSON.stringify(path.slice(0, 1))) ??
    files.find((file) => isRecord(file.value) && path[0] !== undefined && Object.hasOwn(file.value, path[0])) ??
    files[0];
  const locate = (path: PropertyKey[]) => originOf(path)?.locate(path);
  const checked = checkConfiguration(Object.fromEntries(sections), locate);
  if (checked.problems) return { configuration: undefined, problems: checked.problems, warnings: [] };
  return {
    configuration: resolveWorkerPaths(checked.configuration, (section, name) => originOf([section, name])?.file ?? ''),
    asWritten: checked.configuration,
    problems: [],
    warnings: configurationWarnings(checked.configuration, locate),
  };
}

async function configurationFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
    if (names.length > 0) return names.map((name) => join(path, name));
  } catch (error) {
    throw unreadable(path, error);
  }
  throw new SalvorError('InvalidConfiguration', `${path} is a directory without any *.yaml file`);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(path: string, error: unknown): SalvorError {
  return new SalvorError('InvalidConfiguration', `the configuration can't be read: ${messageOf(error)} (${path})`, {
    cause: error,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
