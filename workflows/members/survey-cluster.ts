/** Looks at every member, and at the nodes of members that don't answer. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import { memberTable, type MemberSurvey, type ProcessSeen, quorumOf } from '../../domain/members/member-table.ts';
import type { MemberEntry, Quorum } from '../../domain/members/member-entry.ts';
import { look, observing } from '../kit/activities.ts';
import { reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';

export interface SurveyedCluster {
  survey: MemberSurvey;
  members: MemberEntry[];
  quorum: Quorum | null;
}

export async function surveyCluster(cluster: Cluster): Promise<SurveyedCluster> {
  const survey = await look.surveyMembers({ cluster });
  const silent = cluster.nodes.filter(({ name }) =>
    survey.members.some(({ node, status }) => node === name && status === undefined),
  );
  const processes = await Promise.all(silent.map(async (node) => await processOn(cluster, node)));
  const members = memberTable(cluster.nodes, survey, processes.flat());
  return { survey, members, quorum: quorumOf(survey, members) };
}

/** Looks at the node's etcd process. Returns nothing for a flavour whose nodes Salvor can't look at. */
async function processOn(cluster: Cluster, node: ClusterNode): Promise<ProcessSeen[]> {
  if (traitsOf(cluster.flavour).isBackupOnly) return [];
  try {
    return [await observing(node).observeEtcd({ cluster, node: node.name })];
  } catch (error) {
    rethrowUnlessActivity(error);
    return [{ node: node.name, process: 'unreachable', seen: reasonOf(error) }];
  }
}
