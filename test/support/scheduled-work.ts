/** Workflows with the names of Salvor's that do nothing, for tests of schedules. */
import { condition, defineSignal, setHandler } from '@temporalio/workflow';

export const finishSignal = defineSignal('finish');

/** Ends at once. */
export async function prune(input: { cluster: string }): Promise<{ cluster: string }> {
  return await Promise.resolve(input);
}

/** Ends on request. */
export async function backup(_input: { cluster: string }): Promise<void> {
  let finished = false;
  setHandler(finishSignal, () => {
    finished = true;
  });
  await condition(() => finished);
}
