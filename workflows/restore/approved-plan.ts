/** The approved plan of a restore. */
import type { RestoreInput } from '../../domain/operations/restore.ts';
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { failure } from '../kit/failure.ts';
import { showPlan } from '../kit/runbook.ts';
import { drawPlan, type Facts, lookAgain, type PlannedRestore } from './draw-plan.ts';
import type { RestoreOperation } from './operation.ts';

/**
 * Draws the plan and returns it once it is approved: in advance (`auto`), by a digest from `salvor restore --plan`, or
 * by a person who reads it here. After waiting for a person everything is checked again: the newest plan is returned
 * and carried out, never the one that was read.
 * @throws Abandoned when the person declines; `PlanChanged`, `NotApproved`; anything the new check throws
 */
export async function approvedPlan(facts: Facts, request: RestoreInput, op: RestoreOperation): Promise<PlannedRestore> {
  const { runbook, person, cluster } = op;
  const { approve } = request;
  const plan = await drawPlan(facts, op);
  showPlan(plan);
  runbook.asks(person);
  await runbook.step(
    'Approve the plan',
    null,
    async () => {
      if (approve === 'auto') return 'in advance (auto)';
      if (approve === undefined) return await person.approve(cluster.name, plan.digest);
      requireSame(plan, approve);
      return `${plan.digest}, given when the operation was started`;
    },
    (how) => how,
  );
  if (approve !== undefined) return { facts, plan, isAnyAccepted: approve === 'auto' };

  const newest = await lookAgain(facts, request, op);
  const planned = { facts: newest, plan: await drawPlan(newest, op), isAnyAccepted: false };
  requireSame(planned.plan, plan.digest);
  showPlan(planned.plan);
  return planned;
}

function requireSame({ cluster, digest, backup, nodes }: RestorePlan, approved: string): void {
  if (digest === approved) return;
  const states = nodes.map(({ name, etcd, dataDir }) => `${name}: etcd ${etcd}, data directory ${dataDir}`);
  throw failure(
    'PlanChanged',
    `the approved plan ${approved} is out of date; the current plan is ${digest}: restore ${cluster} from ${backup} (${states.join('; ')}). ` +
      `Nothing was touched. Read it with \`salvor restore ${cluster} --plan\`, and approve that one`,
  );
}
