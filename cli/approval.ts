/** Approving a restore that waits: shows its plan and asks the person at the terminal. */
import type { RestorePlan } from '../domain/restore/plan.ts';
import { lookOf, note } from './output.ts';
import { renderPlan } from './render/plan.ts';

/** Whether a person can be asked on this terminal. */
export function isSomebodyThere(output: 'text' | 'json'): boolean {
  return output === 'text' && process.stdin.isTTY && process.stderr.isTTY;
}

/**
 * Shows the plan and asks for the cluster's name.
 * @returns whether the name was typed; after Ctrl-C the operation keeps waiting
 */
export async function askApproval(plan: RestorePlan): Promise<boolean> {
  const { cluster, digest } = plan;
  note(renderPlan(plan, lookOf(process.stderr)));
  note('');
  note(`Everything written to ${cluster} since the backup is lost. The current data is set aside, not deleted.`);
  const { input } = await import('@inquirer/prompts');
  try {
    await input(
      {
        message: `Type the cluster's name to approve plan ${digest}:`,
        validate: (typed) => typed === cluster || `that is not "${cluster}"; Ctrl-C leaves it waiting`,
      },
      { output: process.stderr },
    );
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') return false;
    throw error;
  }
}
