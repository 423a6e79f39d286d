/** Finds the configuration. */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SalvorError } from '../../domain/errors.ts';
import { environmentVariable } from '../environment.ts';

const DEFAULT_PATHS = ['salvor.yaml', '/etc/salvor/salvor.yaml'];

/**
 * The configuration's absolute path: the given path, else `SALVOR_CONFIG`, else the first default that exists;
 * undefined when there is none.
 */
export async function findConfiguration(given?: string): Promise<string | undefined> {
  const named = given ?? environmentVariable('SALVOR_CONFIG');
  if (named !== undefined) return resolve(named);
  for (const path of DEFAULT_PATHS) {
    if (await exists(path)) return resolve(path);
  }
  return undefined;
}

/**
 * The configuration's absolute path.
 * @throws SalvorError `InvalidConfiguration` when there is none
 */
export async function requireConfiguration(given?: string): Promise<string> {
  const path = await findConfiguration(given);
  if (path !== undefined) return path;
  throw new SalvorError(
    'InvalidConfiguration',
    `no configuration: neither --config nor SALVOR_CONFIG is set, and there is no ${DEFAULT_PATHS.join(' or ')}`,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
