/**
 * Sets up the lab as a cluster that Salvor knows, with a configuration over SSH, a store and a Temporal server, and
 * offers what tests need from it.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import { inspectMembers } from '../../adapters/etcd/inspect.ts';
import { apiServerReady } from '../../adapters/kubernetes/api/api-server.ts';
import { type Cluster, resolveCluster } from '../../domain/configuration/resolve.ts';
import { answering, hashGroups } from '../../domain/members/members.ts';
import { labControlPlane } from '../../playground/configuration.ts';
import { type Lab, labDown, labReset, type NodeNumber } from '../../playground/lab/lab.ts';
import { startTemporalProcess, type TemporalProcess } from './temporal-process.ts';
import { until } from './until.ts';

export const LAB_CLUSTER = 'lab';

export interface LabWorld {
  lab: Lab;
  directory: string;
  configFile: string;
  cluster: Cluster;
  temporal: TemporalProcess;
  down: () => Promise<void>;
}

/** Makes a fresh cluster of three nodes, which replaces the lab's cluster. */
export async function startLabWorld(): Promise<LabWorld> {
  const lab = await labReset({ nodes: 3 });
  const directory = await mkdtemp(join(tmpdir(), 'salvor-lab-'));
  const configFile = join(directory, 'salvor.yaml');
  await mkdir(join(directory, 'backups'));
  const configuration = {
    stores: { local: { type: 'filesystem', path: join(directory, 'backups') } },
    clusters: { [LAB_CLUSTER]: { ...labControlPlane(lab), stores: ['local'] } },
  };
  await writeFile(configFile, JSON.stringify(configuration));
  const temporal = await startTemporalProcess(directory);
  return {
    lab,
    directory,
    configFile,
    cluster: resolveCluster(await loadConfiguration(configFile), LAB_CLUSTER),
    temporal,
    async down() {
      await temporal.stop();
      await labDown();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const listSchema = z.object({
  items: z.array(
    z.object({ metadata: z.object({ name: z.string() }), data: z.record(z.string(), z.string()).optional() }),
  ),
});

/** The values of the config maps that tests make, as one node's own kube-apiserver gives them. */
export async function configMaps(lab: Lab, node: NodeNumber): Promise<Record<string, string>> {
  const argv = [
    'kubectl',
    'get',
    'configmaps',
    '--namespace=default',
    '--output=json',
    '--request-timeout=10s',
  ] as const;
  const { items } = listSchema.parse(JSON.parse(await lab.onNode(node, argv)));
  return Object.fromEntries(
    items.flatMap(({ metadata, data }) => (data?.['value'] === undefined ? [] : [[metadata.name, data['value']]])),
  );
}

/**
 * Waits until every member can be compared with the others, because a kubelet may just be starting one. Fails if they
 * don't hold the same keys.
 * @returns the cluster to which all of them belong
 */
export async function expectSameKeys(cluster: Cluster): Promise<string> {
  const members = await until('every member can be compared', async () => {
    const seen = await inspectMembers(cluster, AbortSignal.timeout(60_000));
    return hashGroups(seen).flat().length === cluster.nodes.length && answering(seen);
  });
  assert.deepEqual(hashGroups(members), [cluster.nodes.map(({ name }) => name)], 'every member holds the same keys');
  const [clusterId = '', ...others] = new Set(members.map(({ status }) => status.clusterId));
  assert.deepEqual(others, [], 'every member is in the same cluster');
  return clusterId;
}

export interface Outage {
  /** The longest time in which no kube-apiserver was ready. */
  noneMs: number;
  /** The longest in which not all were. */
  someMs: number;
}

/**
 * Polls every kube-apiserver as clients from outside would. Each is polled separately, because otherwise one that hangs
 * would hide when the others are back.
 */
export function probe(lab: Lab): { stop: () => Promise<Outage> } {
  const stopped = new AbortController();
  const longest: Outage = { noneMs: 0, someMs: 0 };
  const since = { none: 0, some: 0 };
  const ready = lab.nodes.map(() => true);
  function note(index: number, isReady: boolean): void {
    ready[index] = isReady;
    const nowMs = performance.now();
    since.none = ready.includes(true) ? 0 : since.none || nowMs;
    since.some = ready.includes(false) ? since.some || nowMs : 0;
    if (since.none > 0) longest.noneMs = Math.max(longest.noneMs, Math.round(nowMs - since.none));
    if (since.some > 0) longest.someMs = Math.max(longest.someMs, Math.round(nowMs - since.some));
  }
  const probing = lab.nodes.map(async ({ apiServerUrl }, index) => {
    while (!stopped.signal.aborted) {
      const look = await apiServerReady(apiServerUrl, { signal: AbortSignal.timeout(30_000) });
      note(index, look.ready);
      await delay(200);
    }
  });
  return {
    async stop() {
      stopped.abort();
      await Promise.all(probing);
      return longest;
    },
  };
}
