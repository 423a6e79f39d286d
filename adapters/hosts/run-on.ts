/** Runs a command that has to succeed. */
import { SalvorError } from '../../domain/errors.ts';
import type { Host, RunOptions } from './host.ts';
import { lastLines } from './tail.ts';

/**
 * @throws SalvorError `CommandFailed` with the command's last words when its exit code isn't 0, and what the host
 * throws
 */
export async function runOn(
  host: Host,
  argv: readonly [string, ...string[]],
  signal: AbortSignal,
  options: Omit<RunOptions, 'signal'> = {},
): Promise<void> {
  const { exitCode, stdout, stderr } = await host.run(argv, { signal, ...options });
  if (exitCode === 0) return;
  throw new SalvorError(
    'CommandFailed',
    `${host.name}: \`${argv.join(' ')}\` failed (exit code ${exitCode}): ${lastLines(stderr) || lastLines(stdout)}`,
  );
}
