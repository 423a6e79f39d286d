/** The parts of a cluster's state that show whether it has come back from a restore, read from its API. */
import {
  CertificatesV1Api,
  CoordinationV1Api,
  CoreV1Api,
  DiscoveryV1Api,
  StorageV1Api,
  type V1CertificateSigningRequest,
  type V1Lease,
  type V1Node,
} from '@kubernetes/client-node';
import type { SeenBinding, SeenLease, SeenNode, SeenRequest } from '../../domain/restore/aftercare.ts';
import { type Access, orAbsent } from './api/access.ts';

const PAGE = 500;

interface List<T> {
  items: T[];
  metadata?: { _continue?: string };
}

/** Every object of a list, page by page. */
async function* all<T>(
  list: (page: { limit: number; _continue?: string }) => Promise<List<T>>,
): AsyncGenerator<T, void> {
  let next: string | undefined;
  do {
    const { items, metadata } = await list({ limit: PAGE, ...(next !== undefined && { _continue: next }) });
    yield* items;
    next = metadata?._continue || undefined;
  } while (next !== undefined);
}

export async function readNodes(access: Access): Promise<SeenNode[]> {
  const core = access.client(CoreV1Api);
  const nodes: SeenNode[] = [];
  for await (const node of all(async (page) => await core.listNode(page))) nodes.push(seenNode(node));
  return nodes;
}

function seenNode({ metadata, status }: V1Node): SeenNode {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  return {
    name: metadata?.name ?? '',
    addresses: status?.addresses?.map(({ address }) => address) ?? [],
    ready: ready === 'True' || ready === 'False' ? ready : 'Unknown',
  };
}

/** The leases by which kubelets show that they are alive. */
export async function readNodeLeases(access: Access): Promise<SeenLease[]> {
  const coordination = access.client(CoordinationV1Api);
  const leases: SeenLease[] = [];
  const list = async (page: object) =>
    await coordination.listNamespacedLease({ namespace: 'kube-node-lease', ...page });
  for await (const lease of all(list)) leases.push(seenLease(lease));
  return leases;
}

export function seenLease({ metadata, spec }: V1Lease): SeenLease {
  return {
    name: metadata?.name ?? '',
    holder: spec?.holderIdentity || undefined,
    revision: metadata?.resourceVersion ?? '0',
  };
}

/** The addresses of the service `kubernetes`, in both forms. */
export async function readApiAddresses(access: Access): Promise<{ endpoints: string[]; slices: string[] }> {
  const place = { name: 'kubernetes', namespace: 'default' };
  const endpoints = await orAbsent(access.client(CoreV1Api).readNamespacedEndpoints(place));
  const { items } = await access.client(DiscoveryV1Api).listNamespacedEndpointSlice({
    namespace: place.namespace,
    labelSelector: 'kubernetes.io/service-name=kubernetes',
  });
  return {
    endpoints: sorted(endpoints?.subsets?.flatMap(({ addresses }) => addresses?.map(({ ip }) => ip) ?? []) ?? []),
    slices: sorted(items.flatMap((slice) => slice.endpoints?.flatMap(({ addresses }) => addresses) ?? [])),
  };
}

function sorted(addresses: string[]): string[] {
  return [...new Set(addresses)].sort();
}

/** Requests that were neither approved nor denied. */
export async function readPendingRequests(access: Access): Promise<SeenRequest[]> {
  const certificates = access.client(CertificatesV1Api);
  const pending: SeenRequest[] = [];
  for await (const request of all(async (page) => await certificates.listCertificateSigningRequest(page))) {
    if ((request.status?.conditions ?? []).length === 0) pending.push(seenRequest(request));
  }
  return pending;
}

function seenRequest({ metadata, spec }: V1CertificateSigningRequest): SeenRequest {
  return { name: metadata?.name ?? '', signer: spec.signerName, requester: spec.username ?? 'unknown' };
}

/** Pods on nodes that don't exist. The server filters out the others: there may be a hundred thousand. */
export async function readLostPods(access: Access, nodes: SeenNode[]): Promise<SeenBinding[]> {
  const core = access.client(CoreV1Api);
  const fieldSelector = ['', ...nodes.map(({ name }) => name)].map((name) => `spec.nodeName!=${name}`).join(',');
  const lost: SeenBinding[] = [];
  for await (const { metadata, spec } of all(
    async (page) => await core.listPodForAllNamespaces({ fieldSelector, ...page }),
  )) {
    lost.push({ name: `${metadata?.namespace}/${metadata?.name}`, node: spec?.nodeName ?? '' });
  }
  return lost;
}

/** Volumes that are attached to nodes that don't exist. */
export async function readLostAttachments(access: Access, nodes: SeenNode[]): Promise<SeenBinding[]> {
  const storage = access.client(StorageV1Api);
  const lost: SeenBinding[] = [];
  for await (const { metadata, spec } of all(async (page) => await storage.listVolumeAttachment(page))) {
    if (nodes.some(({ name }) => name === spec.nodeName)) continue;
    lost.push({ name: metadata?.name ?? '', node: spec.nodeName });
  }
  return lost;
}
