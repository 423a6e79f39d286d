/** The name of the cluster once more, before something is taken from it. */
import { SalvorError } from '../domain/errors.ts';
import { note, UsageError } from './output.ts';

/**
 * Asks for it on a terminal.
 * @param what said before the question, a line each; the first one names the act
 * @throws UsageError where nobody can be asked, SalvorError `ConfirmationMismatch` when it is left
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
