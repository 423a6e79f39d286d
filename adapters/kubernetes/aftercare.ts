/** What has to be fixed by hand after a restore: waited for, fixed or listed. */
import { setTimeout as delay } from 'node:timers/promises';
import { ApiException } from '@kubernetes/client-node';
import {
  type AftercareFinding,
  type AftercareReport,
  bindingsFinding,
  isSince,
  kubeletsFinding,
  leaderFinding,
  missingNodesFinding,
  readyFinding,
  requestsFinding,
  type SeenLease,
} from '../../domain/restore/aftercare.ts';
import { endpointsFinding } from '../../domain/restore/api-addresses.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import { plannedNode } from '../../domain/restore/steps.ts';
import { isReadable } from '../etcd/node-credentials.ts';
import { type Access, accessNode, apiFailure } from './api/access.ts';
import {
  readApiAddresses,
  readLostAttachments,
  readLostPods,
  readNodeLeases,
  readNodes,
  readPendingRequests,
  seenLease,
} from './cluster-state.ts';
import { readLeaderLease, releaseLeaderLease } from './leader-leases.ts';
import { tendRegistrations, type Tended } from './registrations.ts';

const POLL_MS = 2_000;
const CONTROLLERS = ['kube-controller-manager', 'kube-scheduler'];

export interface AftercareOrder {
  /** The revision of the restored etcd before any write to it: anything above it was written since. */
  sinceRevision: string;
  /** How long to wait for kubelets and controllers. */
  waitMs: number;
}

/**
 * Looks after a cluster whose kube-apiservers are ready again. It never fails: anything that can't be looked at is
 * reported. It removes registrations of kube-apiservers and gives back leases of ended leaders; everything else is left
 * to people who know what it is for.
 */
export async function lookAfterCluster(
  cluster: Cluster,
  order: AftercareOrder,
  signal: AbortSignal,
): Promise<AftercareReport> {
  const endMs = Date.now() + order.waitMs;
  const tended = await tend(cluster, order, signal);
  const accesses = await openAccesses(cluster, signal);
  if ('why' in accesses) return { found: [tended.finding, notSeen(accesses.why)] };
  const look = async <T>(work: (access: Access) => Promise<T>) => await withAny(accesses, work, signal);
  let before: Addresses | undefined;
  const released = new Map<string, string>();
  for (;;) {
    try {
      before ??= await look(readApiAddresses);
      const addresses = before;
      const settling = await look(
        async (access) => await lookAtSettling(access, cluster, order, { ...tended, released, before: addresses }),
      );
      if (settling.some(({ state }) => state === 'listed') && Date.now() < endMs) {
        await delay(POLL_MS, undefined, { signal });
        continue;
      }
      return { found: [tended.finding, ...settling, ...(await look(lookAtLasting))] };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SalvorError)) throw error;
      if (Date.now() >= endMs) return { found: [tended.finding, notSeen(error.message)] };
      await delay(POLL_MS, undefined, { signal });
    }
  }
}

function notSeen(why: string): AftercareFinding {
  return { what: 'nodes, controllers and certificates', state: 'not-checked', detail: why };
}

async function tend(cluster: Cluster, { sinceRevision }: AftercareOrder, signal: AbortSignal): Promise<Tended> {
  try {
    return await tendRegistrations(cluster, sinceRevision, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SalvorError)) throw error;
    return {
      finding: { what: 'registrations of kube-apiservers', state: 'not-checked', detail: error.message },
      live: [],
    };
  }
}

async function openAccesses(cluster: Cluster, signal: AbortSignal): Promise<Access[] | { why: string }> {
  const reasons: string[] = [];
  const accesses: Access[] = [];
  for (const node of cluster.nodes.filter(({ apiServer }) => apiServer !== undefined)) {
    if (cluster.kubeconfig === undefined && !isReadable(node)) continue;
    try {
      const access = await accessNode(cluster, node, signal);
      if ('why' in access) reasons.push(access.why);
      else accesses.push(access);
    } catch (error) {
      signal.throwIfAborted();
      reasons.push(messageOf(error));
    }
  }
  if (accesses.length > 0) return accesses;
  return { why: [...new Set(reasons)].join('; ') || "this worker can't ask any node; set kubeconfig" };
}

/** The first kube-apiserver that answers is enough. */
async function withAny<T>(accesses: Access[], work: (access: Access) => Promise<T>, signal: AbortSignal): Promise<T> {
  let failure: SalvorError | undefined;
  for (const access of accesses) {
    try {
      return await work(access);
    } catch (error) {
      signal.throwIfAborted();
      failure = apiFailure(error, access, 'be asked how the cluster is doing');
    }
  }
  throw failure ?? new SalvorError('ComponentStuck', 'no kube-apiserver can be asked');
}

type Addresses = Awaited<ReturnType<typeof readApiAddresses>>;

interface SoFar {
  live: string[];
  before: Addresses;
  /** The controllers whose leases were given back, and their former leaders. */
  released: Map<string, string>;
}

/** What recovers by itself within a minute, if it does. */
async function lookAtSettling(
  access: Access,
  { flavour, nodes: configured }: Cluster,
  { sinceRevision }: AftercareOrder,
  { live, before, released }: SoFar,
): Promise<AftercareFinding[]> {
  const [nodes, leases, now] = [await readNodes(access), await readNodeLeases(access), await readApiAddresses(access)];
  // If the restore stopped every controller, every former leader has ended. Otherwise one may still lead, and the
  // others wait for its lease to expire.
  const mayRelease = configured.every((node) => plannedNode(flavour, node).hasControllers);
  const leaders = await Promise.all(
    CONTROLLERS.map(async (name) => {
      const lease = await lookAtLeader(access, name, { sinceRevision, mayRelease, released });
      return leaderFinding(name, lease, sinceRevision, released.get(name));
    }),
  );
  return [
    endpointsFinding('Endpoints default/kubernetes', before.endpoints, now.endpoints, live),
    endpointsFinding('EndpointSlices of default/kubernetes', before.slices, now.slices, live),
    ...leaders,
    kubeletsFinding(nodes, leases, sinceRevision),
    readyFinding(nodes, leases, sinceRevision),
    missingNodesFinding(configured, nodes, traitsOf(flavour).kubernetes?.runsOnNodes ?? false),
  ];
}

/** A controller's lease; it is given back first if its leader ended with the restore. */
async function lookAtLeader(
  access: Access,
  name: string,
  {
    sinceRevision,
    mayRelease,
    released,
  }: { sinceRevision: string; mayRelease: boolean; released: Map<string, string> },
): Promise<SeenLease | undefined> {
  const lease = await readLeaderLease(access, name);
  if (lease === undefined) return undefined;
  const seen = seenLease(lease);
  if (!mayRelease || seen.holder === undefined || isSince(seen, sinceRevision)) return seen;
  try {
    const free = await releaseLeaderLease(access, name, lease);
    released.set(name, seen.holder);
    return seenLease(free);
  } catch (error) {
    // Somebody has written it in the meantime, or these credentials lack the permission: it expires by itself.
    if (error instanceof ApiException) return seen;
    throw error;
  }
}

/** What waits for a person. */
async function lookAtLasting(access: Access): Promise<AftercareFinding[]> {
  const nodes = await readNodes(access);
  return [
    requestsFinding(await readPendingRequests(access)),
    bindingsFinding(
      'pods',
      await readLostPods(access, nodes),
      'kube-controller-manager will remove them if the nodes stay away; `kubectl delete pod --force` removes them at once',
    ),
    bindingsFinding(
      'volume attachments',
      await readLostAttachments(access, nodes),
      'make sure that the volume is detached from that machine, then `kubectl delete volumeattachment <name>`',
    ),
  ];
}
