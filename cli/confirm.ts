/** Asks for the cluster's name again before a destructive operation. */
import { SalvorError } from '../domain/errors.ts';
import { note, UsageError } from './output.ts';

/**
 * Asks for the cluster's name on a terminal.
 * @param what lines shown before the question; the first one names the act
 * @throws UsageError if there is no terminal to ask on; SalvorError `ConfirmationMismatch` after Ctrl-C
 */
export async function askConfirmation(
  cluster: string,
  { output, why, what }: { output: 'text' | 'json'; why: string; what: string[] },
): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY || output === 'json') {
    throw new UsageError(`${why}; repeat its name: --confirm ${cluster}`);
  }
  const { input } = await import('@inquirer/prompts');
  for (const line of what) note(line);
  try {
    return await input(
      {
        message: "Type the cluster's name to go on:",
        validate: (typed) => typed === cluster || `that is not "${cluster}"; Ctrl-C leaves without a change`,
      },
      { output: process.stderr },
    );
  } catch (error) {
    throw new SalvorError('ConfirmationMismatch', 'not confirmed; nothing was started', { cause: error });
  }
}
