/** Runs the command `salvor` as a person at this checkout would. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { SalvorError } from '../../domain/errors.ts';
import { environment } from '../../adapters/environment.ts';
import type { Playground } from '../handle.ts';

const COMMAND = fileURLToPath(new URL('../../bin/salvor', import.meta.url));

/**
 * Runs `bin/salvor … --output json` and returns its report.
 * @param onProgress gets what it writes to standard error, line by line
 * @throws SalvorError `CommandFailed` for an exit status other than 0, with the last lines of standard error
 */
export async function salvor<T>(
  playground: Playground,
  args: readonly string[],
  report: z.ZodType<T>,
  onProgress: (line: string) => void,
): Promise<T> {
  const child = spawn(COMMAND, [...args, '--output', 'json'], {
    env: { ...environment(), ...playground.temporalEnvironment, SALVOR_CONFIG: playground.configFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    onProgress(line);
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) {
    const last = said.slice(-10).join('\n') || output;
    throw new SalvorError('CommandFailed', `bin/salvor ${args.join(' ')} ended with exit status ${status}:\n${last}`);
  }
  return report.parse(JSON.parse(output));
}
