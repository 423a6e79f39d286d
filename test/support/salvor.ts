/** Runs the command `salvor` as a process in a test's world. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { environment } from '../../adapters/environment.ts';
import type { World } from './world.ts';

const SALVOR = fileURLToPath(new URL('../../bin/salvor', import.meta.url));

/** Runs the command to its end with `--output json`. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the asker types the report
export async function salvor<R>(
  { playground }: World,
  ...args: string[]
): Promise<{ exit: number | null; report: R; stderr: string }> {
  const child = spawn(SALVOR, [...args, '--output', 'json'], {
    env: { ...environment(), ...playground.temporalEnvironment, SALVOR_CONFIG: playground.configFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { exit, report: JSON.parse(stdout) as R, stderr };
}
