/** Restores one cluster from a backup: everything that takes time is staged before the first component stops. */
import { backupIdOf } from '../../domain/format/keys.ts';
import { checkConfirmation, checkInput } from '../../domain/input.ts';
import { RESTORE, type RestoreInput, type RestoreReport } from '../../domain/operations/restore.ts';
import { plannedNode, restoreSteps } from '../../domain/restore/steps.ts';
import { look } from '../kit/activities.ts';
import { untouchable } from '../kit/engine.ts';
import { checked } from '../kit/failure.ts';
import { holdingCluster } from '../kit/hold-cluster.ts';
import { Abandoned, listenToPerson } from '../kit/person.ts';
import { openRunbook } from '../kit/runbook.ts';
import { approvedPlan } from './approved-plan.ts';
import { carryOut, notTouched } from './carry-out.ts';
import { gatherFacts, type PlannedRestore } from './draw-plan.ts';
import { lookOnceMore } from './last-look.ts';
import type { RestoreOperation } from './operation.ts';
import { resumeRestore } from './resume-restore.ts';
import { saveSafetyCopy } from './safety-copy.ts';
import { stageEverywhere, stagingOf, unstageEverywhere } from './stage.ts';

export async function restore(input: RestoreInput): Promise<RestoreReport> {
  const request = checked(() => requireInput(input));
  const runbook = openRunbook('restore', request.cluster);
  const person = listenToPerson(request.onFailure ?? 'pause', () => runbook.show());
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await holdingCluster(cluster.name, 'restore', async (hold) => {
    const op = { cluster, runbook, person, hold };
    return request.resume === undefined ? await restoreCluster(request, op) : await resumeRestore(request.resume, op);
  });
}

async function restoreCluster(request: RestoreInput, op: RestoreOperation): Promise<RestoreReport> {
  const { cluster, runbook } = op;
  const operationId = backupIdOf(new Date());
  runbook.announce(restoreSteps(cluster.nodes.map((node) => plannedNode(cluster.flavour, node))));

  const facts = await gatherFacts(request, op);
  let planned: PlannedRestore;
  try {
    planned = await approvedPlan(facts, request, op);
  } catch (error) {
    if (!(error instanceof Abandoned)) throw error;
    return notTouched(facts, error.message, op);
  }
  const safetyCopy = await saveSafetyCopy(op);
  const staging = stagingOf(planned, safetyCopy, operationId);
  await stageEverywhere(staging, op);
  const journal = await lookOnceMore(planned, staging, op).catch(async (error: unknown) => {
    await unstageEverywhere(operationId, op);
    throw error;
  });

  // From here on the cluster is touched: neither a failure nor a cancellation may leave it half-changed.
  return await untouchable(async () => await carryOut({ journal, isSwapped: false }, op));
}

function requireInput(input: RestoreInput): RestoreInput {
  const valid = checkInput<RestoreInput>(input, RESTORE.shape);
  checkConfirmation(valid.cluster, valid.confirm);
  return valid;
}
