/** How far a learner is behind the leader. */
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeOf } from '../../domain/nodes.ts';
import { messageOf } from '../../domain/errors.ts';
import { isInSync } from '../../domain/members/replacement.ts';
import { withAnyMember } from './any-member.ts';
import { endpointOf, withMember } from './inspect.ts';
import type { ByWayOf } from './membership.ts';
import { withoutUndefined } from '../../domain/without-undefined.ts';

/** How long one look at a learner lasts, so that progress is reported in between. */
const WATCH_MS = 10_000;
const POLL_MS = 500;

/** Looks until the learner is in sync, for ten seconds at most. */
export async function watchLearner(order: ByWayOf & { node: string }, signal: AbortSignal) {
  const { cluster, through, node } = order;
  const endpoint = endpointOf(cluster, nodeOf(cluster.nodes, node));
  const endMs = Date.now() + WATCH_MS;
  for (;;) {
    const leader = await withAnyMember(cluster, through, signal, async (member) => {
      // A member that began from a snapshot counts the snapshot as applied only with the next entry of the log. Until
      // then it is behind by more than 5,000 and refuses its own first request (etcd 3.6.16). In a cluster without
      // writes, this request is that entry, because all members agree on it.
      await member.alarms(signal);
      return await member.status(signal);
    });
    const look = await learnerStatus();
    const seen = withoutUndefined({
      index: look.status?.raftIndex ?? '0',
      leaderIndex: leader.raftIndex,
      dbSizeBytes: look.status?.dbSizeBytes ?? 0,
      leaderDbSizeBytes: leader.dbSizeBytes,
      problem: look.problem,
    });
    const isMember = look.status?.clusterId === leader.clusterId;
    if (isMember && isInSync(seen.leaderIndex, seen.index)) return { ...seen, inSync: true };
    if (Date.now() > endMs) return { ...seen, inSync: false };
    await sleep(POLL_MS, undefined, { signal });
  }
  async function learnerStatus() {
    try {
      return { status: await withMember(endpoint, async (member) => await member.status(signal)) };
    } catch (error) {
      signal.throwIfAborted();
      return { problem: messageOf(error) };
    }
  }
}
