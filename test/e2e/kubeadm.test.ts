/**
 * A real control plane of three kubeadm nodes, reached over SSH as an unprivileged user with sudo. It makes the lab's
 * cluster anew.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { CoreV1Api, type Informer, KubeConfig, makeInformer, type V1ConfigMap } from '@kubernetes/client-node';
import type { Component } from '../../adapters/flavours/control-plane.ts';
import { controlPlaneFor } from '../../adapters/flavours/index.ts';
import { etcdutlOn } from '../../adapters/snapshots/find-etcdutl.ts';
import { inspectMembers, inspectStatuses } from '../../adapters/etcd/inspect.ts';
import { hostFor } from '../../adapters/hosts/find.ts';
import { apiServerReady } from '../../adapters/kubernetes/api/api-server.ts';
import { nodeOf } from '../../domain/nodes.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { CleanUpReport } from '../../domain/operations/clean-up.ts';
import { TASK_QUEUE } from '../../domain/operations/common.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { labMissing, type LabNode } from '../../playground/lab/lab.ts';
import { failureMessageIn } from '../support/failures.ts';
import { configMaps, expectSameKeys, LAB_CLUSTER, type LabWorld, probe, startLabWorld } from '../support/lab-world.ts';
import { type ChildWorker, startChildWorker } from '../support/matrix/child-worker.ts';
import { until } from '../support/until.ts';

const skip = (await labMissing()).join('; ') || false;

describe('a kubeadm cluster over SSH', { skip, timeout: 1_800_000 }, () => {
  const signal = AbortSignal.timeout(1_800_000);
  let world: LabWorld;
  let lab: LabWorld['lab'];
  let cluster: LabWorld['cluster'];
  let worker: ChildWorker;
  let operations = 0;

  before(async () => {
    world = await startLabWorld();
    ({ lab, cluster } = world);
    worker = await startChildWorker({ configFile: world.configFile, temporalAddress: world.temporal.address });
  });
  after(async () => {
    await worker?.kill();
    await world?.down();
  });

  async function run<R>(operation: string, input: object): Promise<R> {
    operations += 1;
    const options = { taskQueue: TASK_QUEUE, workflowId: `${operation}/test/${operations}`, args: [input] };
    return (await world.temporal.client.workflow.execute(operation, options)) as R;
  }

  async function backUp(): Promise<BackupReport> {
    return await run('backup', { cluster: LAB_CLUSTER, override: ['young-cluster', 'rollout'] });
  }

  async function timed<T>(context: TestContext, what: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await work();
    context.diagnostic(`${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    return result;
  }

  /** Waits until members of some nodes, and of no other, lead those of these nodes. */
  async function untilLedBy(...names: string[]): Promise<void> {
    const nodes = names.map((name) => nodeOf(cluster.nodes, name));
    await until(`one of ${names.join(', ')} leads them`, async () => {
      const statuses = (await inspectStatuses(cluster, nodes, signal)).map(({ status }) => status);
      const ids = statuses.map((status) => status?.memberId);
      return statuses.every((status) => status !== undefined && ids.includes(status.leaderId));
    });
  }

  /** The nodes whose member has data. */
  async function nodesWithData(): Promise<string[]> {
    const looks = lab.nodes.map(async ({ name, number }) => {
      const { exitCode } = await lab.tryOnNode(number, ['test', '-d', '/var/lib/etcd/member']);
      return exitCode === 0 ? [name] : [];
    });
    return (await Promise.all(looks)).flat();
  }

  /** What lies in the data directories beside the members' own data. */
  async function setAsideNow(): Promise<{ node: string; path: string }[]> {
    const onNode = async ({ name, number }: LabNode) =>
      (await lab.onNode(number, ['ls', '/var/lib/etcd']))
        .trim()
        .split('\n')
        .filter((entry) => entry !== 'member')
        .map((entry) => ({ node: name, path: `/var/lib/etcd/${entry}` }));
    return (await Promise.all(lab.nodes.map(onNode))).flat();
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
    // The member that was stopped may have been the leader: until there is another, no kube-apiserver is ready.
    await until('the kube-apiserver of n1 is ready', async () => {
      return (await apiServerReady('https://10.123.0.11:6443', { signal })).ready;
    });
    for (const component of all.toReversed()) {
      const { changed } = await timed(context, `${component.name} started`, () => component.start(signal, 120_000));
      assert.equal(changed, true);
      assert.equal(await component.status(signal), 'running');
      assert.deepEqual(await component.start(signal, 90_000), { changed: false });
    }
    await timed(context, 'well again', () => lab.waitUntilWell());
  });

  test('what was deleted, and a member that was destroyed, are back after a restore; what came later is gone; who watched lists anew', async (context) => {
    await lab.kubectl('create', 'configmap', 'kept', '--from-literal=value=kept');
    await lab.kubectl('create', 'configmap', 'deleted', '--from-literal=value=deleted');
    const wanted = await configMaps(lab, 1);
    assert.deepEqual(Object.keys(wanted).toSorted(), ['deleted', 'kept']);
    const { backup, state } = await timed(context, 'backup', backUp);
    assert.equal(state, 'complete');

    await lab.kubectl('delete', 'configmap', 'deleted');
    await lab.kubectl('create', 'configmap', 'later', '--from-literal=value=later');
    const watcher = await watchConfigMaps(lab.kubeconfig);
    assert.deepEqual(watcher.names(), ['kept', 'later']);
    // A member whose data is gone. Its kubelet starts it again, on nothing, sooner or later: the restore takes it as it
    // finds it.
    await lab.onNode(3, ['sh', '-c', 'pkill -STOP -x etcd && rm -rf /var/lib/etcd/member && pkill -KILL -x etcd']);
    await untilLedBy('n1', 'n2');

    const plan = await run<RestorePlan>('planRestore', { cluster: LAB_CLUSTER, backup });
    const maps = plan.changes?.types.find(({ type }) => type === 'configmaps');
    assert.deepEqual(maps?.examples.vanish, ['default/later']);
    assert.deepEqual(maps?.examples.comeBack, ['default/deleted']);
    await assert.rejects(
      run('restore', { cluster: LAB_CLUSTER, confirm: LAB_CLUSTER, backup, approve: '0123456789ab' }),
      (error) => /Nothing was touched/.test(failureMessageIn(error)),
    );

    const hadData = await nodesWithData();
    const prober = probe(lab);
    const report = await timed(context, 'restore', () =>
      run<RestoreReport>('restore', { cluster: LAB_CLUSTER, confirm: LAB_CLUSTER, backup, approve: 'auto' }),
    );
    const seen = await prober.stop();
    assert.equal(report.outcome, 'restored', report.problem ?? '');
    tellSteps(context, report);
    context.diagnostic(
      `downtime: ${report.downtimeMs / 1_000} s; seen from outside: none answered for ${seen.noneMs / 1_000} s, not all for ${seen.someMs / 1_000} s`,
    );
    await timed(context, 'all nodes Ready', () => lab.waitUntilWell());
    for (const { number } of lab.nodes) assert.deepEqual(await configMaps(lab, number), wanted);
    await expectSameKeys(cluster);
    assert.deepEqual(report.setAside, await setAsideNow());
    const keptOf = new Set(report.setAside.map(({ node }) => node));
    for (const node of new Set(['n1', 'n2', ...hadData]))
      assert.ok(keptOf.has(node), `the old data of ${node} is kept`);
    assert.ok((report.aftercare ?? []).length > 0, 'the cluster was looked after');
    for (const { what, state: found, detail } of report.aftercare ?? [])
      context.diagnostic(`${what}: ${found}, ${detail}`);

    await until('who watched before sees what is there now', async () => {
      return JSON.stringify(watcher.names()) === JSON.stringify(['deleted', 'kept']);
    });
    await lab.kubectl('create', 'configmap', 'after', '--from-literal=value=after');
    await until('who watched before sees a new object', async () => watcher.names().includes('after'));
    await watcher.stop();
  });

  test('what was moved aside is removed when that is asked for, and only that', async () => {
    await assert.rejects(run('cleanUp', { cluster: LAB_CLUSTER }), /Workflow execution failed/);
    const wanted = await setAsideNow();
    assert.ok(wanted.length > 0, 'there is something to remove');
    const { removed } = await run<CleanUpReport>('cleanUp', { cluster: LAB_CLUSTER, confirm: LAB_CLUSTER });
    assert.deepEqual(
      removed.map(({ node, path }) => ({ node, path })),
      wanted,
    );
    assert.deepEqual(await setAsideNow(), []);
    assert.deepEqual(await nodesWithData(), ['n1', 'n2', 'n3']);
    for (const { number } of lab.nodes) {
      const listing = await lab.onNode(number, ['ls', '/var/lib']);
      assert.deepEqual(
        listing.split('\n').filter((name) => name.startsWith('etcd')),
        ['etcd'],
      );
    }
    await lab.waitUntilWell();
  });

  test('a cluster whose members are all broken, and whose kubelets were started since, is restored', async (context) => {
    const wanted = await configMaps(lab, 1);
    const { backup } = await backUp();
    const breakIt = 'dd if=/dev/zero of=/var/lib/etcd/member/snap/db bs=1M count=1 conv=notrunc';
    await Promise.all(
      lab.nodes.map(({ number }) =>
        lab.onNode(number, [
          'sh',
          '-c',
          `systemctl stop kubelet && pkill -KILL -x 'etcd|kube-apiserver' && ${breakIt} 2>&1`,
        ]),
      ),
    );
    // Such a kubelet never hears which pods it is to run, and so ends none.
    await Promise.all(lab.nodes.map(({ number }) => lab.onNode(number, ['systemctl', 'start', 'kubelet'])));
    await until('no kube-apiserver is ready', async () => {
      const ready = lab.nodes.map(({ address }) => apiServerReady(`https://${address}:6443`, { signal }));
      return (await Promise.all(ready)).every((one) => !one.ready);
    });

    const report = await timed(context, 'restore', () =>
      run<RestoreReport>('restore', { cluster: LAB_CLUSTER, confirm: LAB_CLUSTER, backup, approve: 'auto' }),
    );
    assert.equal(report.outcome, 'restored', report.problem ?? '');
    tellSteps(context, report);
    await timed(context, 'all nodes Ready', () => lab.waitUntilWell());
    for (const { number } of lab.nodes) assert.deepEqual(await configMaps(lab, number), wanted);
  });
});

function tellSteps(context: TestContext, { steps }: RestoreReport): void {
  for (const { name, node, startedAt, durationMs, evidence } of steps) {
    const place = node === null ? '' : ` ${node}`;
    context.diagnostic(
      `${startedAt?.slice(11, 19)} ${(durationMs ?? 0) / 1_000} s  ${name}${place}: ${evidence ?? ''}`,
    );
  }
}

/** A client that keeps a list of config maps by watching them, as controllers do. */
async function watchConfigMaps(kubeconfig: string) {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const list = async () => await api.listNamespacedConfigMap({ namespace: 'default' });
  const informer: Informer<V1ConfigMap> & { list: () => readonly V1ConfigMap[] } = makeInformer(
    config,
    '/api/v1/namespaces/default/configmaps',
    list,
  );
  let isStopped = false;
  function startAgain(): void {
    if (!isStopped) setTimeout(() => void informer.start().catch(startAgain), 1_000).unref();
  }
  informer.on('error', startAgain);
  await informer.start();
  return {
    names: () =>
      informer
        .list()
        .map(({ metadata }) => metadata?.name ?? '')
        .filter((name) => name !== 'kube-root-ca.crt')
        .toSorted(),
    async stop() {
      isStopped = true;
      await informer.stop();
    },
  };
}
