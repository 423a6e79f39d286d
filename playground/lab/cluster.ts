/** The Kubernetes cluster on the nodes: makes it with kubeadm, and waits until it is healthy. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { apiServerReady } from '../../adapters/kubernetes/api/api-server.ts';
import { attempt, waitFor } from './commands.ts';
import { kubeadmConfiguration } from './kubeadm.ts';
import { ENDPOINT, type LabPaths, type NodeNumber } from './layout.ts';
import { onNode } from './machine.ts';

const STATIC_PODS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
const KUBEADM_MS = 300_000;
const READY_MS = 300_000;
const CONFIGURATION = '/etc/kubernetes/kubeadm.yaml';

/** Makes a cluster of nodes that are up and have never been in one. */
export async function createCluster(
  paths: LabPaths,
  numbers: readonly NodeNumber[],
  report: (line: string) => void,
): Promise<void> {
  const secrets = {
    token: `${randomBytes(3).toString('hex')}.${randomBytes(8).toString('hex')}`,
    certificateKey: randomBytes(32).toString('hex'),
  };
  for (const number of numbers) {
    report(`${paths.node(number).name}: kubeadm ${number === 1 ? 'init' : 'join'}`);
    const path = join(paths.node(number).upper, CONFIGURATION);
    await writeFile(path, kubeadmConfiguration(paths, number, secrets), { mode: 0o600 });
    // The nodes have no swap of their own, no modules and no systemd cgroups, so kubeadm's checks are known to fail.
    const common = ['--config', CONFIGURATION, '--ignore-preflight-errors=all'];
    const rest = number === 1 ? ['init', ...common, '--skip-phases=addon', '--upload-certs'] : ['join', ...common];
    await onNode(paths, number, ['kubeadm', ...rest], { timeoutMs: KUBEADM_MS });
  }
}

/** Copies the operator's files from the first node: the administrator's kubeconfig and a client certificate of etcd. */
export async function copyCredentials(paths: LabPaths): Promise<void> {
  const { upper, address } = paths.node(1);
  await mkdir(paths.admin, { recursive: true, mode: 0o700 });
  const kubernetes = join(upper, 'etc/kubernetes');
  const kubeconfig = await readFile(join(kubernetes, 'admin.conf'), 'utf8');
  const files: [string, string | Buffer][] = [
    ['kubeconfig', kubeconfig.replace(`https://${ENDPOINT}:6443`, `https://${address}:6443`)],
    ['ca.crt', await readFile(join(kubernetes, 'pki/ca.crt'))],
    ['etcd-ca.crt', await readFile(join(kubernetes, 'pki/etcd/ca.crt'))],
    ['etcd-client.crt', await readFile(join(kubernetes, 'pki/etcd/healthcheck-client.crt'))],
    ['etcd-client.key', await readFile(join(kubernetes, 'pki/etcd/healthcheck-client.key'))],
  ];
  for (const [name, body] of files) {
    await writeFile(join(paths.admin, name), body, { mode: 0o600 });
    await chmod(join(paths.admin, name), 0o600);
  }
}

const conditionsSchema = z.array(z.object({ type: z.string(), status: z.string() })).default([]);
const listSchema = z.object({
  items: z.array(
    z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal(['Node', 'Pod']),
        metadata: z.object({ name: z.string() }),
        status: z.object({ conditions: conditionsSchema }),
      }),
      z.object({
        kind: z.literal('Lease'),
        metadata: z.object({ name: z.string() }),
        spec: z.object({ renewTime: z.coerce.date().optional() }),
      }),
    ]),
  ),
});

/**
 * Waits until every kube-apiserver is ready, and every node and its static pods are Ready.
 * @param since nodes must have shown that they are alive after this time: the API's state from before a boot doesn't
 * count
 * @throws SalvorError `ComponentStuck` when this takes longer than 5 min, with what was seen last
 */
export async function waitUntilWell(paths: LabPaths, numbers: readonly NodeNumber[], since: Date): Promise<void> {
  const ca = join(paths.admin, 'ca.crt');
  for (const number of numbers) {
    const { name, address } = paths.node(number);
    await waitFor(`a ready kube-apiserver on ${name}`, READY_MS, async () => {
      const options = { ca, signal: AbortSignal.timeout(10_000) };
      const { ready, seen } = await apiServerReady(`https://${address}:6443`, options);
      return ready ? undefined : seen;
    });
  }
  const names = numbers.map((number) => paths.node(number).name);
  await waitFor('a cluster that is well', READY_MS, async () => await whatIsNotWell(paths, names, since), 1_000);
}

async function whatIsNotWell(paths: LabPaths, names: readonly string[], since: Date): Promise<string | undefined> {
  const query = ['get', 'nodes,pods,leases', '--all-namespaces', '--output=json', '--request-timeout=5s'];
  const { exitCode, stdout, stderr } = await attempt(kubectl(paths, ...query));
  if (exitCode !== 0) return stderr.trim();
  const { items } = listSchema.parse(JSON.parse(stdout));
  const isReady = (kind: 'Node' | 'Pod', name: string): boolean =>
    items.some(
      (item) =>
        item.kind === kind &&
        item.metadata.name === name &&
        item.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    );
  for (const name of names) {
    const alive = items.some(
      (item) => item.kind === 'Lease' && item.metadata.name === name && (item.spec.renewTime ?? 0) > since,
    );
    if (!alive) return `${name} has not renewed its lease since ${since.toISOString()}`;
    if (!isReady('Node', name)) return `${name} is not Ready`;
    const pod = STATIC_PODS.find((part) => !isReady('Pod', `${part}-${name}`));
    if (pod !== undefined) return `${pod}-${name} is not Ready`;
  }
  return undefined;
}

/** Runs kubectl as an operator on this machine would. */
export function kubectl(paths: LabPaths, ...args: string[]): [string, ...string[]] {
  return [join(paths.binaries, 'kubectl'), '--kubeconfig', join(paths.admin, 'kubeconfig'), ...args];
}

/** Runs etcdctl as an operator on this machine would, with every member as an endpoint. */
export function etcdctl(paths: LabPaths, numbers: readonly NodeNumber[], ...args: string[]): [string, ...string[]] {
  const endpoints = numbers.map((number) => `https://${paths.node(number).address}:2379`).join(',');
  const file = (name: string): string => join(paths.admin, name);
  const tls = ['--cacert', file('etcd-ca.crt'), '--cert', file('etcd-client.crt'), '--key', file('etcd-client.key')];
  return [join(paths.binaries, 'etcdctl'), '--endpoints', endpoints, ...tls, ...args];
}
