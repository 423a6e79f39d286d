/** The last look before the first component stops: the cluster kept running during the safety copy and the staging. */
import type { Journal } from '../../domain/restore/journal.ts';
import { whyNotNow } from '../../domain/restore/last-look.ts';
import { presentState } from '../../domain/restore/plan.ts';
import { highestRevision } from '../../domain/restore/revision.ts';
import { bytesOnceStaged } from '../../domain/restore/room.ts';
import { look } from '../kit/activities.ts';
import { failure } from '../kit/failure.ts';
import { checkNode, type PlannedRestore } from './draw-plan.ts';
import type { RestoreOperation } from './operation.ts';
import { requireSameConfiguration } from './same-configuration.ts';
import type { Staging } from './stage.ts';

/**
 * Looks at members and nodes once more, and returns the journal for the rest of the restore, with current figures.
 * @throws `PlanChanged` when the staged data no longer fits the cluster; nothing was touched
 */
export async function lookOnceMore(
  { facts, plan, isAnyAccepted }: PlannedRestore,
  { order, before, floor }: Staging,
  { cluster, runbook, hold }: RestoreOperation,
): Promise<Journal> {
  return await runbook.step(
    'Look once more before the first stop',
    null,
    async () => {
      await hold.confirm();
      await requireSameConfiguration({ cluster });
      const [members, nodes] = await Promise.all([
        look.inspectMembers({ cluster }),
        Promise.all(
          cluster.nodes.map(
            async (node) => await checkNode(cluster, node, facts.source, bytesOnceStaged(order.content.bytes), order),
          ),
        ),
      ]);
      const problems = whyNotNow({
        plan,
        isAnyPlanAccepted: isAnyAccepted,
        floor,
        isRaised: order.bumpRevision !== null,
        members,
        nodes,
      });
      if (problems.length > 0) {
        throw failure(
          'PlanChanged',
          `the cluster changed while the restore was prepared: ${problems.join('; ')}. Nothing was touched. Look at it (\`salvor member list ${cluster.name}\`), and start the restore again`,
        );
      }
      const now = presentState(members);
      return {
        formatVersion: 1 as const,
        cluster: cluster.name,
        operationId: order.operationId,
        workflowId: order.workflowId,
        runId: order.runId,
        backup: facts.source.backup,
        touchedAt: new Date().toISOString(),
        phase: 'changing' as const,
        problem: null,
        revision: { before: highestRevision(before, now.revision), snapshot: facts.trial.revision, floor },
        clusterId: now.clusterId ?? plan.before.clusterId,
        leader: now.leader,
        up: now.up,
        hadLeader: now.hadLeader,
        nodes: nodes.map(({ name, etcd, apiServer, dataDir }) => ({ name, etcd, apiServer, dataDir })),
      };
    },
    ({ revision, up }) =>
      `${up.length} of ${cluster.nodes.length} members answer; the highest revision is ${revision.before ?? 'unknown'}, the restored cluster begins at ${revision.floor}`,
  );
}
