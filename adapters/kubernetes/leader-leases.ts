/** The leases with which kube-controller-manager and kube-scheduler elect their leader. */
import { CoordinationV1Api, V1MicroTime } from '@kubernetes/client-node';
import { isSince, type SeenLease } from '../../domain/aftercare.ts';
import { type Access, orAbsent } from './access.ts';
import { seenLease } from './cluster-state.ts';

/** As a leader writes it that gives its lease back: https://pkg.go.dev/k8s.io/client-go/tools/leaderelection, `ReleaseOnCancel`. */
const RELEASED_SECONDS = 1;

/** Undefined when there is none. */
export async function readLeaderLease(access: Access, name: string): Promise<SeenLease | undefined> {
  const coordination = access.client(CoordinationV1Api);
  const lease = await orAbsent(coordination.readNamespacedLease({ name, namespace: 'kube-system' }));
  return lease && seenLease(lease);
}

/**
 * Gives a lease back for a leader that ended and whose lease the restore brought back: whoever wants to lead would watch it for 15 s before it believes that.
 * @returns whose it was; undefined when somebody leads since, or there is no lease or it is nobody's
 * @throws what the client throws; status 409 when somebody wrote the lease meanwhile
 */
export async function releaseLeaderLease(
  access: Access,
  name: string,
  sinceRevision: string,
): Promise<string | undefined> {
  const coordination = access.client(CoordinationV1Api);
  const lease = await orAbsent(coordination.readNamespacedLease({ name, namespace: 'kube-system' }));
  if (lease?.spec === undefined) return undefined;
  const seen = seenLease(lease);
  if (seen.holder === undefined || isSince(seen, sinceRevision)) return undefined;
  const { holderIdentity: _, ...rest } = lease.spec;
  const now = new V1MicroTime();
  lease.spec = { ...rest, leaseDurationSeconds: RELEASED_SECONDS, acquireTime: now, renewTime: now };
  // With the resource version that was read: a lease that was written meanwhile is left alone.
  await coordination.replaceNamespacedLease({ name, namespace: 'kube-system', body: lease });
  return seen.holder;
}
