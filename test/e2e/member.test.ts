/**
 * Replacing etcd members of a real control plane of three kubeadm nodes, reached over SSH, while a client writes. It
 * makes the lab's cluster anew.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { messageOf } from '../../domain/errors.ts';
import type { MemberEntry } from '../../domain/members/member-entry.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import type { ListMembersReport } from '../../domain/operations/list-members.ts';
import type { ReplaceMemberReport } from '../../domain/operations/replace-member.ts';
import { createActivities } from '../../activities/index.ts';
import { labControlPlane } from '../../playground/configuration.ts';
import { type Lab, labDown, labMissing, type LabNode, labReset, type NodeNumber } from '../../playground/lab/lab.ts';
import { startCheckingWriter } from '../support/checking-writer.ts';
import { failureTypeIn } from '../support/failures.ts';
import { startTemporal, withWorker } from '../support/temporal.ts';
import { until } from '../support/until.ts';

const skip = (await labMissing()).join('; ') || false;
const INPUT = { cluster: 'lab', confirm: 'lab' };
/** An election comes to a second or two. */
const GAP_MS = 10_000;
const JOIN_MS = 300_000;

describe('members of a kubeadm cluster', { skip, timeout: 1_800_000 }, () => {
  let lab: Lab;
  let directory: string;
  let configFile: string;
  let temporal: TestWorkflowEnvironment;

  before(async () => {
    lab = await labReset({ nodes: 3 });
    directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
    configFile = join(directory, 'salvor.yaml');
    await mkdir(join(directory, 'backups'));
    await configure(lab.nodes);
    temporal = await startTemporal();
  });
  after(async () => {
    await temporal?.teardown();
    await labDown();
    await rm(directory, { recursive: true, force: true });
  });

  async function configure(nodes: readonly LabNode[]): Promise<void> {
    const configuration = {
      stores: { local: { type: 'filesystem', path: join(directory, 'backups') } },
      clusters: { lab: { ...labControlPlane(lab, nodes), stores: ['local'] } },
    };
    await writeFile(configFile, JSON.stringify(configuration));
  }

  /** Hosts a worker while `work` runs; it gets what starts an operation. */
  async function withOperations<T>(
    work: (start: (operation: string, input: object) => Promise<WorkflowHandle>) => Promise<T>,
  ): Promise<T> {
    return await withWorker(temporal, createActivities(configFile, temporal.client), async (taskQueue) => {
      let count = 0;
      return await work(async (operation, input) => {
        const options = { taskQueue, workflowId: `${operation}/${taskQueue}/${++count}`, args: [input] };
        return await temporal.client.workflow.start(operation, options);
      });
    });
  }

  async function members(): Promise<MemberEntry[]> {
    return await withOperations(async (start) => {
      const handle = await start('listMembers', { cluster: 'lab' });
      return ((await handle.result()) as ListMembersReport).members;
    });
  }

  /** Replaces under writes to the members of some nodes; `decide` acts on the operation meanwhile. */
  async function replaceUnderWrites(
    context: TestContext,
    writeTo: NodeNumber[],
    decide: (handle: WorkflowHandle) => Promise<void> = async () => undefined,
  ): Promise<ReplaceMemberReport> {
    const [rootCertificate, certChain, privateKey] = await Promise.all(
      [lab.etcd.ca, lab.etcd.cert, lab.etcd.key].map(async (file) => await readFile(file)),
    );
    assert.ok(rootCertificate && certChain && privateKey);
    const urls = lab.nodes.filter(({ number }) => writeTo.includes(number)).map(({ etcdUrl }) => etcdUrl);
    const writer = startCheckingWriter(urls, { credentials: { rootCertificate, certChain, privateKey } });
    try {
      const report = await withOperations(async (start) => {
        const handle = await start('replaceMember', INPUT);
        await decide(handle);
        return (await handle.result()) as ReplaceMemberReport;
      });
      for (const { name, node, startedAt, durationMs, evidence } of report.steps) {
        context.diagnostic(
          `${startedAt?.slice(11, 19)} ${(durationMs ?? 0) / 1_000} s  ${name} ${node ?? ''}: ${evidence ?? ''}`,
        );
      }
      const { acknowledged, writeGapMs, readGapMs } = await writer.stop();
      context.diagnostic(
        `no write was taken for ${writeGapMs} ms, no read was answered for ${readGapMs} ms, at the longest`,
      );
      assert.equal(report.outcome, 'replaced', report.problem ?? '');
      assert.ok(acknowledged > 20 && writeGapMs < GAP_MS && readGapMs < GAP_MS);
      for (const { peerUrls } of report.after ?? []) {
        await writer.checkMember((peerUrls[0] ?? '').replace(':2380', ':2379'));
      }
      return report;
    } finally {
      await writer.stop().catch(() => undefined);
      writer.close();
    }
  }

  function checkHealthy(entries: MemberEntry[] | null, names: string[]): void {
    assert.deepEqual(
      entries?.map(({ node, state, hash, alarms }) => ({ node, state, hash, alarms })),
      names.map((node) => ({ node, state: 'healthy', hash: 'agrees', alarms: [] })),
    );
  }

  /** As soon as the node's own kube-apiserver answers. */
  async function configMapOn(node: NodeNumber, name: string): Promise<string> {
    const query = ['kubectl', 'get', 'configmap', name, '--output=jsonpath={.data.value}'] as const;
    return await until(`config map ${name} is read on n${node}`, async () => {
      return await lab.onNode(node, query).catch(() => undefined);
    });
  }

  /** Of every member: one that was killed may have been the leader, and the others have none for a moment. */
  async function untilStates(...states: string[]): Promise<void> {
    let seen: string[] = [];
    await until(
      `the members are ${states.join(', ')}`,
      async () => {
        seen = (await members()).map(({ node, name, state }) => `${node ?? name} ${state}`);
        return seen.join() === states.join();
      },
      240_000,
    ).catch((error: unknown) => {
      throw new Error(`${messageOf(error)}; last they were ${seen.join(', ')}`, { cause: error });
    });
  }

  test('one whose data directory was destroyed', async (context) => {
    await lab.kubectl('create', 'configmap', 'kept', '--from-literal=value=kept');
    // An empty one is filled again, with luck, by the next leader; one that holds nonsense is not.
    const nonsense = 'mkdir -p /var/lib/etcd/member/snap && head -c 65536 /dev/urandom >/var/lib/etcd/member/snap/db';
    await lab.onNode(1, ['sh', '-c', `pkill -STOP -x etcd; rm -rf /var/lib/etcd && ${nonsense}; pkill -KILL -x etcd`]);
    // Somebody started the node's kubelet again, which asks its own kube-apiserver what it is to run and so never hears
    // of it.
    await lab.onNode(1, [
      'sh',
      '-c',
      "systemctl stop kubelet && pkill -KILL -x 'etcd|kube-apiserver'; systemctl start kubelet",
    ]);
    await untilStates('n1 crash-looping', 'n2 healthy', 'n3 healthy');
    const report = await replaceUnderWrites(context, [2, 3]);
    checkHealthy(report.after, ['n1', 'n2', 'n3']);
    assert.deepEqual(report.toDo, []);
    await lab.waitUntilWell();
    assert.equal(await configMapOn(1, 'kept'), 'kept');
    const manifest = await lab.onNode(1, ['cat', '/etc/kubernetes/manifests/etcd.yaml']);
    assert.match(manifest, /--initial-cluster-state=existing/);
    assert.deepEqual((await lab.onNode(1, ['ls', '/etc/kubernetes/manifests'])).trim().split('\n'), [
      'etcd.yaml',
      'kube-apiserver.yaml',
      'kube-controller-manager.yaml',
      'kube-scheduler.yaml',
    ]);
  });

  test('one that ends again and again over a corrupt log, with the certificates of another node', async (context) => {
    const pki = '/etc/kubernetes/pki/etcd';
    const certificates = await lab.onNode(2, [
      'sh',
      '-c',
      `cd ${pki} && tar -c server.crt server.key peer.crt peer.key | base64 -w 0`,
    ]);
    await lab.onNode(3, ['sh', '-c', `cd ${pki} && echo ${certificates.trim()} | base64 -d | tar -x`]);
    const spoil =
      'for f in /var/lib/etcd/member/wal/*.wal; do dd if=/dev/urandom of="$f" bs=64 seek=8 count=1 conv=notrunc; done';
    await lab.onNode(3, ['sh', '-c', `pkill -STOP -x etcd; ${spoil}; pkill -KILL -x etcd`]);
    await untilStates('n1 healthy', 'n2 healthy', 'n3 crash-looping');
    const report = await replaceUnderWrites(context, [1, 2]);
    checkHealthy(report.after, ['n1', 'n2', 'n3']);
    for (const { path } of report.setAside) await lab.onNode(3, ['test', '-e', path]);
    assert.ok(report.setAside.some(({ path }) => path.includes('/pki/etcd/peer.crt.before-replace-')));
    await lab.waitUntilWell();
    assert.equal(await configMapOn(3, 'kept'), 'kept');
  });

  test('of a node that lost power for good, by another with a new address', async (context) => {
    await lab.powerOff(3);
    await untilStates('n1 healthy', 'n2 healthy', 'n3 node-unreachable');
    await assert.rejects(
      withOperations(async (start) => await (await start('replaceMember', INPUT)).result()),
      (error) => failureTypeIn(error) === 'HostUnreachable',
    );
    const fresh = await lab.bootNewNode();
    await configure([...lab.nodes.filter(({ number }) => number !== 3), fresh]);
    await untilStates('n1 healthy', 'n2 healthy', 'n4 missing', 'n3 gone');

    const report = await replaceUnderWrites(context, [1, 2], async (handle) => {
      const waitingFor = await until(
        'the operation waits for the node to join',
        async () => (await handle.query<Progress>('progress')).waitingFor ?? undefined,
        240_000,
      );
      // A person does what it says.
      const [, where = '', command = ''] = /On (n\d): `(.*)`; what it prints/.exec(waitingFor) ?? [];
      const join = await lab.onNode(Number(where.slice(1)) as NodeNumber, ['bash', '-c', command], {
        timeoutMs: JOIN_MS,
      });
      const argv = `${join.trim()} --apiserver-advertise-address ${fresh.address} --ignore-preflight-errors=all`;
      await lab.onNode(fresh.number, ['bash', '-c', argv], { timeoutMs: JOIN_MS });
      await handle.executeUpdate('retry');
    });
    checkHealthy(report.after, ['n1', 'n2', 'n4']);
    assert.deepEqual(report.found.state, 'missing');
    assert.equal(report.removed?.name, 'n3');
    assert.deepEqual(report.toDo, ['The node n3 is still an object of the API: `kubectl delete node n3`.']);
    await lab.kubectl('delete', 'node', 'n3');
    assert.equal(await configMapOn(4, 'kept'), 'kept');
  });
});
