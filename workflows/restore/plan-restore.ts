/**
 * Plans a restore and returns the plan with the digest that approves it. It touches nothing, so it doesn't hold the
 * cluster.
 */
import { PLAN_RESTORE, type PlanRestoreInput } from '../../domain/operations/plan-restore.ts';
import { checkInput } from '../../domain/input.ts';
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { look } from '../kit/activities.ts';
import { drawPlan, gatherFacts } from './draw-plan.ts';
import { checked } from '../kit/failure.ts';
import { openRunbook } from '../kit/runbook.ts';

export async function planRestore(input: PlanRestoreInput): Promise<RestorePlan> {
  const request = checked(() => checkInput<PlanRestoreInput>(input, PLAN_RESTORE.shape));
  const runbook = openRunbook('planRestore', request.cluster);
  const cluster = await look.readCluster({ cluster: request.cluster });
  const op = { cluster, runbook };
  return await drawPlan(await gatherFacts(request, op), op);
}
