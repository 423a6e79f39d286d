/**
 * Verifies one backup by restoring it in scratch, as a restore would. It changes nothing in the cluster, so it doesn't
 * hold it: if the backup is pruned meanwhile, it fails with `ArtifactMissing`.
 */
import { checkInput } from '../../domain/input.ts';
import { VERIFY, type VerifyInput, type VerifyReport } from '../../domain/operations/verify.ts';
import { look, stream } from '../kit/activities.ts';
import { checked, failure } from '../kit/failure.ts';
import { openRunbook } from '../kit/runbook.ts';

export async function verify(input: VerifyInput): Promise<VerifyReport> {
  const request = checked(() => checkInput<VerifyInput>(input, VERIFY.shape));
  const runbook = openRunbook('verify', request.cluster);
  const { backup, store, skipHashCheck } = request;
  const only = store === undefined ? {} : { store };
  const cluster = await look.readCluster({ cluster: request.cluster });

  const { order, holders } = await runbook.step(
    'Choose the backup',
    null,
    async () =>
      await look.chooseDrill({
        cluster,
        ...(backup !== undefined && { backup }),
        ...only,
        ...(skipHashCheck !== undefined && { skipHashCheck }),
      }),
    (choice) => `${choice.order.backup}, ${choice.why}`,
  );

  const outcome = await runbook.step(
    'Read every copy and restore it in scratch',
    null,
    async () => await stream.drillBackup({ cluster, order, ...only }),
    ({ verified, corrupt }) => `${verified.proof}, from ${verified.store}; ${corrupt ?? 'no problems found'}`,
  );
  const { verified, corrupt, restorable } = outcome;

  const kept = await runbook.step(
    'Keep the result beside the backup',
    null,
    async () =>
      await look.keepDrillResult({
        cluster,
        verified,
        holders: [...new Set([...holders, ...outcome.holders])],
        ...(store !== undefined && { only: store }),
      }),
    ({ stores, failing }) =>
      [`in ${stores.join(', ')}`, ...failing.map((each) => `${each.store} fails: ${each.error}`)].join('; '),
  );

  if (corrupt !== undefined) {
    const rest =
      restorable === undefined
        ? ''
        : `. The copy in ${restorable} is good and restores; \`salvor heal ${cluster.name} --backup ${order.backup}\` replaces the bad copy with it`;
    throw failure('BackupCorrupt', `backup ${order.backup} of ${cluster.name}: ${corrupt}${rest}`);
  }
  const { proof, checks, durationMs } = verified;
  const unkept = kept.failing.map((each) => ({
    name: `the result is kept in ${each.store}`,
    ok: false,
    seen: each.error,
  }));
  return {
    cluster: cluster.name,
    backup: order.backup,
    store: verified.store,
    proof,
    checks: [...checks, ...unkept],
    durationMs,
  };
}
