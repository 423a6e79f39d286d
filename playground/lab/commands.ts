/** Runs commands on this machine, and waits for their effects. */
import { setTimeout as delay } from 'node:timers/promises';
import { runProcess } from '../../adapters/hosts/process.ts';
import { lastLines } from '../../adapters/hosts/tail.ts';
import type { CommandResult } from '../../adapters/hosts/host.ts';
import { SalvorError } from '../../domain/errors.ts';

export type Argv = readonly [string, ...string[]];

export interface CommandOptions {
  /** Default 60,000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

const NEVER = new AbortController().signal;

/** Runs a command and returns its result, whatever the exit code. */
export async function attempt(argv: Argv, options: CommandOptions = {}): Promise<CommandResult> {
  return await runProcess(argv, 'lab', { signal: NEVER, ...options });
}

/**
 * Runs a command and returns its standard output.
 * @throws SalvorError `CommandFailed` with its last words when it fails
 */
export async function run(argv: Argv, options: CommandOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await attempt(argv, options);
  if (exitCode === 0) return stdout;
  throw new SalvorError(
    'CommandFailed',
    `lab: \`${argv.join(' ')}\` exited with ${exitCode}: ${lastLines(`${stdout}\n${stderr}`, 15)}`,
  );
}

/**
 * Looks again and again until nothing is left to wait for.
 * @param look returns undefined when the wait is over, else what is seen instead
 * @throws SalvorError `ComponentStuck` with what was seen last
 */
export async function waitFor(
  what: string,
  timeoutMs: number,
  look: () => Promise<string | undefined>,
  pollMs = 500,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen === undefined) return;
    if (performance.now() > giveUpAt) {
      throw new SalvorError('ComponentStuck', `lab: ${what} was not there within ${timeoutMs / 1_000} s: ${seen}`);
    }
    await delay(pollMs);
  }
}
