/** Changes the members of a cluster. Each activity looks first; done a second time, it changes nothing. */
import {
  addLearner,
  type ByWayOf,
  checkJoined,
  moveLeaderAway,
  promoteMember,
  removeMember,
} from '../adapters/etcd/membership.ts';
import { surveyMembers } from '../adapters/etcd/survey.ts';
import { watchLearner } from '../adapters/etcd/watch-learner.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SalvorError } from '../domain/errors.ts';
import { memberTable, type MemberSurvey, quorumOf } from '../domain/members/member-table.ts';
import { problemsOfMembers } from '../domain/members/problems.ts';
import { attended } from './attend.ts';

export function createMembershipActivities() {
  return {
    surveyMembers: attended(async ({ cluster }: { cluster: Cluster }, { signal }): Promise<MemberSurvey> => {
      return await surveyMembers(cluster, signal);
    }),

    moveLeaderAway: attended(async (order: ByWayOf & { memberId: string }, { signal }) => {
      return await moveLeaderAway(order, signal);
    }),

    removeMember: attended(async (order: ByWayOf & { memberId: string }, { signal }) => {
      return await removeMember(order, signal);
    }),

    addLearner: attended(async (order: ByWayOf & { peerUrl: string }, { signal }) => {
      return await addLearner(order, signal);
    }),

    watchLearner: attended(async (order: ByWayOf & { node: string }, { signal }) => {
      return await watchLearner(order, signal);
    }),

    promoteMember: attended(async (order: ByWayOf & { memberId: string }, { signal }) => {
      return await promoteMember(order, signal);
    }),

    /** Not retried: a person has to join the node. */
    checkJoined: attended(async (order: ByWayOf & { node: string; instruction: string }, { signal }) => {
      return await checkJoined(order, signal);
    }),

    /**
     * The gate at the end: every configured node has a healthy voting member, all hold the same keys, and the old
     * member is gone. Retried until it holds.
     */
    checkMembers: attended(async ({ cluster, removed }: { cluster: Cluster; removed: string | null }, { signal }) => {
      const survey = await surveyMembers(cluster, signal);
      const members = memberTable(cluster.nodes, survey, []);
      const problems = problemsOfMembers(members, removed);
      if (problems.length > 0)
        throw new SalvorError('MemberUnreachable', `the members are not healthy yet: ${problems.join('; ')}`);
      return { members, quorum: quorumOf(survey, members) };
    }),
  };
}
