/** The leases with which kube-controller-manager and kube-scheduler elect their leader. */
import { CoordinationV1Api, type V1Lease, V1MicroTime } from '@kubernetes/client-node';
import { type Access, orAbsent } from './api/access.ts';

const NAMESPACE = 'kube-system';
/**
 * How a leader writes its lease to give it back: https://pkg.go.dev/k8s.io/client-go/tools/leaderelection,
 * `ReleaseOnCancel`.
 */
const RELEASED_SECONDS = 1;

/** Undefined if it doesn't exist. */
export async function readLeaderLease(access: Access, name: string): Promise<V1Lease | undefined> {
  return await orAbsent(access.client(CoordinationV1Api).readNamespacedLease({ name, namespace: NAMESPACE }));
}

/**
 * Gives back the lease of an ended leader, which the restore brought back: otherwise every candidate would watch it for
 * 15 s before taking over.
 * @returns the lease as it is now
 * @throws what the client throws; status 409 when somebody has written the lease since it was read
 */
export async function releaseLeaderLease(access: Access, name: string, lease: V1Lease): Promise<V1Lease> {
  const { holderIdentity: _, ...rest } = lease.spec ?? {};
  const now = new V1MicroTime();
  lease.spec = { ...rest, leaseDurationSeconds: RELEASED_SECONDS, acquireTime: now, renewTime: now };
  // The update has the resource version that was read, so a lease written in the meantime is left alone.
  return await access.client(CoordinationV1Api).replaceNamespacedLease({ name, namespace: NAMESPACE, body: lease });
}
