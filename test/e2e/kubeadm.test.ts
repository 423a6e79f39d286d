/** A real control plane of three kubeadm nodes, reached over SSH as an unprivileged user with sudo. It makes the lab's cluster anew. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { loadConfiguration } from '../../adapters/configuration/load.ts';
import type { Component } from '../../adapters/control-planes/control-plane.ts';
import { controlPlaneFor } from '../../adapters/control-planes/find.ts';
import { etcdutlOn } from '../../adapters/etcd/find-etcdutl.ts';
import { inspectMembers } from '../../adapters/etcd/inspect.ts';
import { hostFor } from '../../adapters/hosts/find.ts';
import { accessNode } from '../../adapters/kubernetes/access.ts';
import { lookAfterCluster } from '../../adapters/kubernetes/aftercare.ts';
import { apiServerReady } from '../../adapters/kubernetes/api-server.ts';
import { singCanary } from '../../adapters/kubernetes/canary.ts';
import { expectExpired, expectFresh } from '../../adapters/kubernetes/watch-proof.ts';
import { nodeOf } from '../../domain/configuration/nodes.ts';
import { type Cluster, resolveCluster } from '../../domain/configuration/resolve.ts';
import type { BackupReport, RestoreReport } from '../../domain/operations.ts';
import { createActivities } from '../../workers/worker.ts';
import { type Lab, labDown, labMissing, labReset, type NodeNumber } from '../lab/lab.ts';
import { startTemporal, withWorker } from '../support/temporal.ts';

const skip = (await labMissing()).join('; ') || false;

describe('a kubeadm cluster over SSH', { skip, timeout: 1_800_000 }, () => {
  const signal = AbortSignal.timeout(1_800_000);
  let lab: Lab;
  let directory: string;
  let configFile: string;
  let cluster: Cluster;
  let temporal: TestWorkflowEnvironment;
  let restored: RestoreReport | undefined;

  before(async () => {
    lab = await labReset({ nodes: 3 });
    directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
    configFile = join(directory, 'salvor.yaml');
    await mkdir(join(directory, 'backups'));
    const { user, identityFile, knownHostsFile } = lab.ssh;
    const configuration = {
      stores: { local: { type: 'filesystem', path: join(directory, 'backups') } },
      clusters: {
        lab: {
          flavour: 'kubeadm',
          stores: ['local'],
          nodes: lab.nodes.map(({ name, address }) => ({
            name,
            address,
            connection: { ssh: { user, sudo: true, identityFile, knownHostsFile } },
          })),
        },
      },
    };
    await writeFile(configFile, JSON.stringify(configuration));
    cluster = resolveCluster(await loadConfiguration(configFile), 'lab');
    temporal = await startTemporal();
  });
  after(async () => {
    await temporal?.teardown();
    await labDown();
    await rm(directory, { recursive: true, force: true });
  });

  async function timed<T>(context: TestContext, what: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await work();
    context.diagnostic(`${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    return result;
  }

  async function configMaps(node: NodeNumber): Promise<Record<string, string>> {
    const text = await lab.onNode(node, ['kubectl', 'get', 'configmaps', '--namespace=default', '--output=json']);
    const { items } = JSON.parse(text) as { items: { metadata: { name: string }; data?: Record<string, string> }[] };
    return Object.fromEntries(
      items
        .filter(({ data }) => data?.['value'] !== undefined)
        .map(({ metadata, data }) => [metadata.name, data?.['value'] ?? '']),
    );
  }

  test("etcd's members are asked with the certificate of their nodes", async () => {
    const members = await inspectMembers(cluster, signal);
    assert.deepEqual(
      members.map(({ node, error, hashError }) => [node, error, hashError]),
      lab.nodes.map(({ name }) => [name, undefined, undefined]),
    );
  });

  test("etcdutl is the one of the node's own etcd", async () => {
    const node = nodeOf(cluster.nodes, 'n1');
    const tool = await etcdutlOn(node, hostFor(node), signal);
    assert.match(tool.version, /^3\.6\./);
  });

  test('the components of a node are stopped and started, and the others stay', async (context) => {
    const node = nodeOf(cluster.nodes, 'n2');
    const plane = controlPlaneFor(cluster, node, hostFor(node));
    const { etcd, apiServer, controllerManager, scheduler } = plane;
    assert.ok(apiServer && controllerManager && scheduler);
    const all: Component[] = [apiServer, controllerManager, scheduler, etcd];
    for (const component of all) {
      const { changed } = await timed(context, `${component.name} stopped`, () => component.stop(signal, 90_000));
      assert.equal(changed, true);
      assert.equal(await component.status(signal), 'stopped');
      assert.deepEqual(await component.stop(signal, 90_000), { changed: false });
    }
    const containers = await lab.onNode(2, ['crictl', 'ps', '--quiet']);
    assert.equal(containers, '');
    assert.equal((await apiServerReady('https://10.123.0.11:6443', { signal })).ready, true);
    for (const component of all.toReversed()) {
      const { changed } = await timed(context, `${component.name} started`, () => component.start(signal, 120_000));
      assert.equal(changed, true);
      assert.equal(await component.status(signal), 'running');
      assert.deepEqual(await component.start(signal, 90_000), { changed: false });
    }
    await timed(context, 'well again', () => lab.waitUntilWell());
  });

  test('what was deleted, and a member that was destroyed, are back after a restore; what came later is gone', async (context) => {
    await lab.kubectl('create', 'configmap', 'kept', '--from-literal=value=kept');
    await lab.kubectl('create', 'configmap', 'deleted', '--from-literal=value=deleted');
    const wanted = await configMaps(1);
    assert.deepEqual(Object.keys(wanted).toSorted(), ['deleted', 'kept']);

    await withWorker(temporal, createActivities(configFile, temporal.client), async (taskQueue) => {
      const run = async <R>(operation: string, input: object): Promise<R> => {
        const options = { taskQueue, workflowId: `${operation}/${taskQueue}`, args: [input] };
        return (await temporal.client.workflow.execute(operation, options)) as R;
      };
      const override = ['young-cluster', 'rollout'];
      const { backup, state } = await timed(context, 'backup', () =>
        run<BackupReport>('backup', { cluster: 'lab', override }),
      );
      assert.equal(state, 'complete');

      await lab.kubectl('delete', 'configmap', 'deleted');
      await lab.kubectl('create', 'configmap', 'later', '--from-literal=value=later');
      // A member whose data is gone.
      await lab.onNode(3, ['sh', '-c', 'rm -rf /var/lib/etcd/member && pkill -KILL -x etcd']);

      const prober = probe(lab);
      const report = await timed(context, 'restore', () =>
        run<RestoreReport>('restore', { cluster: 'lab', confirm: 'lab', backup }),
      );
      const seen = await prober.stop();
      assert.equal(report.outcome, 'restored', report.problem ?? '');
      restored = report;
      for (const { name, node, startedAt, durationMs, evidence } of report.steps) {
        context.diagnostic(
          `${startedAt?.slice(11, 19)} ${(durationMs ?? 0) / 1_000} s  ${name} ${node ?? ''}: ${evidence ?? ''}`,
        );
      }
      context.diagnostic(
        `downtime: ${report.downtimeMs / 1_000} s; seen from outside: none answered for ${seen.noneMs / 1_000} s, not all for ${seen.someMs / 1_000} s`,
      );
      await timed(context, 'all nodes Ready', () => lab.waitUntilWell());
      for (const { number } of lab.nodes) assert.deepEqual(await configMaps(number), wanted);
      const members = await inspectMembers(cluster, signal);
      assert.equal(new Set(members.map(({ hashKv }) => hashKv?.hash)).size, 1);
    });
  });

  test('after it every kube-apiserver takes writes and sends old watches away, asked with the credentials of its node', async () => {
    assert.ok(restored?.revision.before, 'the restore went through');
    for (const node of cluster.nodes) {
      const access = await accessNode(cluster, node, signal);
      assert.ok('client' in access, JSON.stringify(access));
      await singCanary(access, `salvor-canary-test-${node.name}`);
      assert.match(await expectExpired(access, restored.revision.before, signal), /too old|expired/i);
      await expectFresh(access, `salvor-watch-test-${node.name}`, signal);
    }
  });

  test('after it kubelets and controllers are at work again, and nothing is left for a person', async (context) => {
    const sinceRevision = restored?.revision.after;
    assert.ok(sinceRevision, 'the restore went through');
    const { found } = await lookAfterCluster(cluster, { sinceRevision, waitMs: 120_000 }, signal);
    for (const { what, state, detail } of found) context.diagnostic(`${what}: ${state}: ${detail}`);
    assert.deepEqual(
      found.filter(({ state }) => state === 'listed' || state === 'not-checked'),
      [],
    );
    assert.equal(found.find(({ what }) => what === 'kubelets')?.detail, '3 of 3 have renewed their leases');
  });
});

/** Asks every kube-apiserver again and again; tells the longest time in which none, or not all of them, were ready. */
function probe(lab: Lab) {
  const stopped = new AbortController();
  const longest = { noneMs: 0, someMs: 0 };
  const since = { none: 0, some: 0 };
  const probing = (async () => {
    while (!stopped.signal.aborted) {
      const signal = AbortSignal.timeout(30_000);
      const looks = await Promise.all(lab.nodes.map(({ apiServerUrl }) => apiServerReady(apiServerUrl, { signal })));
      const nowMs = performance.now();
      const count = looks.filter(({ ready }) => ready).length;
      since.none = count > 0 ? 0 : since.none || nowMs;
      since.some = count === looks.length ? 0 : since.some || nowMs;
      if (since.none > 0) longest.noneMs = Math.max(longest.noneMs, Math.round(nowMs - since.none));
      if (since.some > 0) longest.someMs = Math.max(longest.someMs, Math.round(nowMs - since.some));
      await delay(200);
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await probing;
      return longest;
    },
  };
}
