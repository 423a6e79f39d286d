/** Adds to a plan what its approval needs: a digest, and how long earlier restores took. */
import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SEARCH_ATTRIBUTES } from '../domain/operations/common.ts';
import { decisiveParts, drawPlan, type PlanFacts, type RestorePlan } from '../domain/restore/plan.ts';
import { attended } from './attend.ts';

const DIGEST_LENGTH = 12;
const RESTORES_LOOKED_AT = 5;

export function createPlanActivities(client: Client) {
  return {
    drawPlan: attended(async (facts: PlanFacts): Promise<RestorePlan> => {
      const plan = drawPlan(facts);
      return {
        ...plan,
        digest: digestOf(facts.cluster, plan),
        expectedDowntimeMs: await longestDowntime(client, facts.cluster.name),
      };
    }),
  };
}

function digestOf(cluster: Cluster, plan: Parameters<typeof decisiveParts>[1]): string {
  const text = JSON.stringify(decisiveParts(cluster, plan));
  return createHash('sha256').update(text).digest('hex').slice(0, DIGEST_LENGTH);
}

const restoredSchema = z.object({ outcome: z.literal('restored'), downtimeMs: z.number() });

/** The longest downtime of the cluster's last restores, as far as Temporal still has them. */
async function longestDowntime(client: Client, cluster: string): Promise<number | null> {
  const query = `${SEARCH_ATTRIBUTES.cluster} = "${cluster}" AND ${SEARCH_ATTRIBUTES.operation} = "restore" AND ExecutionStatus = "Completed"`;
  const downtimes: number[] = [];
  let looked = 0;
  for await (const { workflowId, runId } of client.workflow.list({ query, pageSize: RESTORES_LOOKED_AT })) {
    const { success, data } = restoredSchema.safeParse(await client.workflow.getHandle(workflowId, runId).result());
    if (success) downtimes.push(data.downtimeMs);
    if (++looked === RESTORES_LOOKED_AT) break;
  }
  return downtimes.length === 0 ? null : Math.max(...downtimes);
}
