/** The only module that reads `process.env`, by the variables' names. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The value of an environment variable; an empty one counts as unset. */
export function environmentVariable(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** A copy of the whole environment, for child processes. */
export function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/**
 * The folder for everything that Salvor has fetched or built: `SALVOR_CACHE`, else `salvor` in the user's cache folder.
 */
export function cacheDirectory(): string {
  return (
    environmentVariable('SALVOR_CACHE') ??
    join(environmentVariable('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'salvor')
  );
}

/** What a worker remembers: `SALVOR_STATE`, else `salvor` in the user's state folder. */
export function stateDirectory(): string {
  return (
    environmentVariable('SALVOR_STATE') ??
    join(environmentVariable('XDG_STATE_HOME') ?? join(homedir(), '.local', 'state'), 'salvor')
  );
}
