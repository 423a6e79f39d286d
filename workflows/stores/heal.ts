/** Heals degraded backups: copies what a store lacks from a store that has it. */
import { checkInput } from '../../domain/input.ts';
import { HEAL, type HealInput, type HealReport } from '../../domain/operations/heal.ts';
import { look } from '../kit/activities.ts';
import { checked } from '../kit/failure.ts';
import { healCopies } from './heal-copies.ts';
import { holdingCluster } from '../kit/hold-cluster.ts';
import { openRunbook } from '../kit/runbook.ts';

export async function heal(input: HealInput): Promise<HealReport> {
  const request = checked(() => checkInput<HealInput>(input, HEAL.shape));
  const runbook = openRunbook('heal', request.cluster);
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await holdingCluster(cluster.name, 'heal', async () => {
    const { copies, more, unreadable } = await runbook.step(
      'Find what the stores lack',
      null,
      async () => await look.findLackingCopies({ cluster, backup: request.backup ?? null }),
      (found) =>
        [
          `${found.copies.length + found.more} copies to check`,
          ...found.unreadable.map(({ store, error }) => `${store} can't be read: ${error}`),
        ].join('; '),
    );
    const outcome = await healCopies(cluster, copies, runbook);
    return { cluster: cluster.name, ...outcome, more, unreadable };
  });
}
