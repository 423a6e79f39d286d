/** Asks any member: all members that answer say the same, or do the same. */
import { nodeOf } from '../../domain/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { type FailureType, SalvorError } from '../../domain/errors.ts';
import { endpointOf, withMember } from './inspect.ts';
import type { Member } from './member.ts';

/** Failures of one member, not of the request: another member may succeed. */
const ANOTHER_MAY: FailureType[] = ['MemberUnreachable', 'AccessDenied', 'ClusterNotReady'];

/**
 * Does something through the first member that can do it.
 * @param names nodes, in the order in which their members are asked
 * @throws SalvorError the last member's failure when none can do it, with the reasons of all; immediately, a failure
 * that no other member could avoid
 */
export async function withAnyMember<T>(
  cluster: Cluster,
  names: readonly string[],
  signal: AbortSignal,
  work: (member: Member) => Promise<T>,
): Promise<T> {
  const failures: SalvorError[] = [];
  for (const name of names) {
    try {
      return await withMember(endpointOf(cluster, nodeOf(cluster.nodes, name)), work);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SalvorError) || !ANOTHER_MAY.includes(error.type)) throw error;
      failures.push(error);
    }
  }
  const reasons = failures.map(({ message }) => message).join('; ');
  throw new SalvorError(failures.at(-1)?.type ?? 'MemberUnreachable', reasons || 'no member can be asked');
}
