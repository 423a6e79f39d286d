/** Pins a backup, which is then never pruned, or unpins it. */
import { checkInput } from '../../domain/input.ts';
import { PIN, type PinInput, type PinReport } from '../../domain/operations/pin.ts';
import { look } from '../kit/activities.ts';
import { checked } from '../kit/failure.ts';
import { holdingCluster } from '../kit/hold-cluster.ts';
import { openRunbook } from '../kit/runbook.ts';

export async function pin(input: PinInput): Promise<PinReport> {
  const request = checked(() => checkInput<PinInput>(input, PIN.shape));
  const { pinned } = request;
  const runbook = openRunbook('pin', request.cluster);
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await holdingCluster(cluster.name, 'pin', async () => {
    const { backup, stores } = await runbook.step(
      pinned ? 'Pin the backup' : 'Unpin the backup',
      null,
      async () => await look.setPin({ cluster, backup: request.backup, pinned }),
      (set) => `${set.backup} in ${set.stores.join(', ')}`,
    );
    return { cluster: cluster.name, backup, pinned, stores };
  });
}
