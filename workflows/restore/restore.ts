/** Restores one cluster from a backup: everything that takes time is staged before the first component stops. */
import { CancellationScope, patched, workflowInfo } from '@temporalio/workflow';
import type { StagingOrder } from '../../activities/nodes.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { checkConfirmation, checkInput } from '../../domain/input.ts';
import type { Journal } from '../../domain/restore/journal.ts';
import { backupIdOf } from '../../domain/format/keys.ts';
import { BACKUP_OVERRIDES } from '../../domain/backups/settled.ts';
import { RESTORE, type RestoreInput, type RestoreReport } from '../../domain/operations/restore.ts';
import { raiseOf } from '../../domain/restore/revision.ts';
import { plannedNode, restoreSteps } from '../../domain/restore/steps.ts';
import { presentState, type RestorePlan } from '../../domain/restore/plan.ts';
import { formatBytes } from '../../domain/units.ts';
import { look, preparing } from '../kit/activities.ts';
import { carryOut } from './carry-out.ts';
import { drawPlan, drawPlanAnew, type Facts, gatherFacts } from './draw-plan.ts';
import { checked, failure, failureTypeOf, reasonOf } from '../kit/failure.ts';
import { holdingCluster } from '../kit/hold-cluster.ts';
import { Abandoned, listenToPerson, type Person } from '../kit/person.ts';
import { resumeRestore } from './resume-restore.ts';
import { openRunbook, type Runbook, showPlan } from '../kit/runbook.ts';
import { takeBackup } from '../backup/take-backup.ts';

export async function restore(input: RestoreInput): Promise<RestoreReport> {
  const request = checked(() => {
    const valid = checkInput<RestoreInput>(input, RESTORE.shape);
    checkConfirmation(valid.cluster, valid.confirm);
    return valid;
  });
  const runbook = openRunbook('restore', request.cluster);
  const person = listenToPerson(request.onFailure ?? 'pause', () => runbook.show());
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await holdingCluster(cluster.name, 'restore', async () =>
    request.resume === undefined
      ? await restoreCluster(cluster, request, runbook, person)
      : await resumeRestore(cluster, request.resume, runbook, person),
  );
}

async function restoreCluster(
  cluster: Cluster,
  request: RestoreInput,
  runbook: Runbook,
  person: Person,
): Promise<RestoreReport> {
  const { nodes } = cluster;
  const operationId = backupIdOf(new Date());
  runbook.announce(restoreSteps(nodes.map((node) => plannedNode(cluster.flavour, node))));
  // Restores that began before there were plans and journals go on without them.
  const isPlanned = patched('plan-and-journal');

  const facts = await gatherFacts(cluster, request, runbook);
  const { source, trial } = facts;
  const before = presentState(facts.members);
  const bumpRevision = raiseOf(trial.revision, before.revision, facts.nodes);
  if (isPlanned) {
    try {
      await approvePlan(facts, request, runbook, person);
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error;
      return notTouched(facts, runbook, error.message);
    }
  }

  await runbook.step(
    'Save the present state',
    null,
    async () => await saveSafetyCopy(cluster, runbook),
    (saved) => saved,
  );
  const staging = {
    operationId,
    source: { ...source, stores: [trial.store, ...source.stores.filter((store) => store !== trial.store)] },
    content: trial.content,
    bumpRevision,
    clusterToken: `salvor-${cluster.name}-${operationId}`,
  };
  await stageEverywhere(cluster, staging, runbook);

  // From here on the cluster is touched: neither a failure nor a cancellation leaves it in between.
  return await CancellationScope.nonCancellable(async () => {
    const journal: Journal = {
      formatVersion: 1,
      cluster: cluster.name,
      operationId,
      workflowId: workflowInfo().workflowId,
      backup: source.backup,
      touchedAt: new Date().toISOString(),
      phase: 'changing',
      problem: null,
      revision: {
        before: before.revision,
        snapshot: trial.revision,
        floor: (BigInt(trial.revision) + BigInt(bumpRevision ?? 0)).toString(),
      },
      clusterId: before.clusterId,
      leader: before.leader,
      up: before.up,
      hadLeader: before.hadLeader,
      nodes: facts.nodes.map(({ name, etcd, apiServer, dataDir }) => ({ name, etcd, apiServer, dataDir })),
    };
    return await carryOut({ cluster, journal, isPlanned }, runbook, person);
  });
}

/**
 * The plan is approved before it is drawn (`auto`), by a digest from `salvor restore --plan`, or by a person who reads it here. What changed until then is
 * looked for once more.
 */
async function approvePlan(facts: Facts, request: RestoreInput, runbook: Runbook, person: Person): Promise<void> {
  const plan = await drawPlan(facts, runbook);
  showPlan(plan);
  runbook.asks(person);
  await runbook.step(
    'Approve the plan',
    null,
    async () => {
      if (request.approve === 'auto') return 'before it was drawn (auto)';
      if (request.approve === undefined) return await person.approve(facts.cluster.name, plan.digest);
      requireSame(plan, request.approve);
      return `${plan.digest}, with the start of the operation`;
    },
    (how) => how,
  );
  if (request.approve === undefined) requireSame(await drawPlanAnew(facts, runbook), plan.digest);
}

function requireSame({ cluster, digest, backup, nodes }: RestorePlan, approved: string): void {
  if (digest === approved) return;
  const states = nodes.map(({ name, etcd, dataDir }) => `${name}: etcd ${etcd}, data directory ${dataDir}`);
  throw failure(
    'PlanChanged',
    `the plan that was approved is ${approved}; the plan of now is ${digest}: restore ${cluster} from ${backup} (${states.join('; ')}). Nothing was touched. Look at it, \`salvor restore ${cluster} --plan\`, and approve that`,
  );
}

function notTouched({ cluster, source, members, trial }: Facts, runbook: Runbook, problem: string): RestoreReport {
  const { revision, clusterId } = presentState(members);
  return {
    cluster: cluster.name,
    backup: source.backup,
    outcome: 'aborted',
    problem,
    downtimeMs: 0,
    revision: { before: revision, snapshot: trial.revision, after: null },
    clusterId: { before: clusterId, after: null },
    steps: runbook.steps,
    setAside: [],
    workflowId: workflowInfo().workflowId,
  };
}

/** When one node can't be staged, the others are cleaned up again: nothing was touched, and nothing is left. */
async function stageEverywhere(cluster: Cluster, staging: StagingOrder, runbook: Runbook): Promise<void> {
  const { nodes } = cluster;
  const { operationId, content } = staging;
  try {
    await runbook.onEvery(
      'Stage the new data directory',
      nodes,
      async (node) => await preparing(node).stageDataDirectory({ cluster, node: node.name, staging }),
      ({ staged }) => `${staged}, ${formatBytes(content.bytes)}`,
    );
  } catch (error) {
    await CancellationScope.nonCancellable(async () => {
      const clean = async (node: ClusterNode) =>
        await preparing(node).unstageDataDirectory({ cluster, node: node.name, operationId });
      await runbook.onEvery('Remove what was staged', nodes, clean, () => 'removed');
    });
    throw error;
  }
}

/** What is there now may still be wanted. A cluster too broken to be backed up keeps its old data directories in any case. */
async function saveSafetyCopy(cluster: Cluster, runbook: Runbook): Promise<string> {
  try {
    // The last moment to save it: whatever state it is in.
    const { backup, state } = await takeBackup(cluster, runbook, BACKUP_OVERRIDES);
    return `backup ${backup}, ${state}`;
  } catch (error) {
    if (failureTypeOf(error) === undefined) throw error;
    return `not possible: ${reasonOf(error)}. The old data directories are kept`;
  }
}
