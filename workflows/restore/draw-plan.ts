/** The part of a restore that touches nothing: which backup, whether it restores, what the cluster and its nodes are like, and what follows. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { PlanRestoreInput } from '../../domain/operations/plan-restore.ts';
import { cannotRaiseRevision } from '../../domain/restore/revision.ts';
import { type ChosenBackup, presentState, type RestorePlan } from '../../domain/restore/plan.ts';
import { look, preparing, stream } from '../kit/activities.ts';
import type { Runbook } from '../kit/runbook.ts';

type Members = Awaited<ReturnType<typeof look.inspectMembers>>;
type Trial = Awaited<ReturnType<typeof stream.trialRestore>>;

/** What is known before a plan is drawn. */
export interface Facts {
  cluster: Cluster;
  source: ChosenBackup;
  members: Members;
  trial: Trial;
  nodes: Awaited<ReturnType<typeof checkNodes>>;
}

/** Looks at everything that a restore depends on. */
export async function gatherFacts(cluster: Cluster, request: PlanRestoreInput, runbook: Runbook): Promise<Facts> {
  const { backup = 'latest', at, store, skipHashCheck } = request;
  const source = await runbook.step(
    'Find the backup',
    null,
    async () =>
      await look.findSnapshot({
        cluster,
        backup,
        ...(at !== undefined && { at }),
        ...(store !== undefined && { store }),
        ...(skipHashCheck !== undefined && { skipHashCheck }),
      }),
    (found) => `${found.backup} in ${found.stores.join(', ')}`,
  );
  const members = await lookAtMembers(cluster, runbook);
  const trial = await runbook.step(
    'Prove the backup by a trial restore',
    null,
    async () => await stream.trialRestore({ cluster, source }),
    ({ revision, totalKeys, store, hashAgrees }) =>
      `from ${store}: revision ${revision}, ${totalKeys} keys${hashAgrees === true ? ', HashKV as at the source' : ''}`,
  );
  const nodes = await checkNodes(cluster, source, trial, runbook);
  return { cluster, source, members, trial, nodes };
}

/** The plan that follows from what was seen. */
export async function drawPlan(facts: Facts, runbook: Runbook): Promise<RestorePlan> {
  const { cluster, source, members, nodes, trial } = facts;
  const { store, content, revision, totalKeys, hashAgrees, changes, changesProblem } = trial;
  return await runbook.step(
    'Draw the plan',
    null,
    async () =>
      await look.drawPlan({
        cluster,
        source,
        members,
        nodes,
        changes,
        ...(changesProblem !== undefined && { changesProblem }),
        trial: { store, sha256: content.sha256, revision, totalKeys, hashAgrees },
      }),
    ({ digest, warnings }) => `${digest}${warnings.length === 0 ? '' : `; ${warnings.join('; ')}`}`,
  );
}

/** The plan as it is now, when time has passed since the facts were gathered: the backup's bytes are the same, the cluster may not be. */
export async function drawPlanAnew(facts: Facts, runbook: Runbook): Promise<RestorePlan> {
  const members = await lookAtMembers(facts.cluster, runbook);
  const nodes = await checkNodes(facts.cluster, facts.source, facts.trial, runbook);
  return await drawPlan({ ...facts, members, nodes }, runbook);
}

async function lookAtMembers(cluster: Cluster, runbook: Runbook): Promise<Members> {
  return await runbook.step(
    'Look at the members',
    null,
    async () => await look.inspectMembers({ cluster }),
    (members) => {
      const { up, revision } = presentState(members);
      return `${up.length} of ${cluster.nodes.length} answer; ${revision === null ? 'the live revision is unknown' : `revision ${revision}`}`;
    },
  );
}

async function checkNodes(cluster: Cluster, source: ChosenBackup, trial: Trial, runbook: Runbook) {
  return await runbook.onEvery(
    'Check the node',
    cluster.nodes,
    async ({ name, address, ...node }: ClusterNode) => ({
      name,
      address,
      ...(await preparing({ name, address, ...node }).checkNode({
        cluster,
        node: name,
        snapshotBytes: trial.content.bytes,
        ...(source.etcd !== undefined && { etcdVersion: source.etcd.version }),
      })),
    }),
    ({ etcd, apiServer, dataDir, etcdutl, leavesRevision }) =>
      `etcd ${etcd}${apiServer === null ? '' : `, kube-apiserver ${apiServer}`}, data directory ${dataDir}${leavesRevision ? `; WARNING: ${cannotRaiseRevision(etcdutl)}` : ''}`,
  );
}
