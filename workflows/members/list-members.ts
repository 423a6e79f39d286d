/** Lists a cluster's members with their states and problems. */
import { checkInput } from '../../domain/input.ts';
import { LIST_MEMBERS, type ListMembersInput, type ListMembersReport } from '../../domain/operations/list-members.ts';
import { look } from '../kit/activities.ts';
import { checked } from '../kit/failure.ts';
import { surveyCluster } from './survey-cluster.ts';

export async function listMembers(input: ListMembersInput): Promise<ListMembersReport> {
  const request = checked(() => checkInput<ListMembersInput>(input, LIST_MEMBERS.shape));
  const cluster = await look.readCluster(request);
  const { survey, members, quorum } = await surveyCluster(cluster);
  return { cluster: cluster.name, clusterId: survey.clusterId, quorum, members };
}
