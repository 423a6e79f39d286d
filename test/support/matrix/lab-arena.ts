/** Three kubeadm nodes over SSH, for a kill matrix. */
import assert from 'node:assert/strict';
import type { WorkflowHandle } from '@temporalio/client';
import type { BackupReport } from '../../../domain/operations/backup.ts';
import { TASK_QUEUE } from '../../../domain/operations/common.ts';
import { messageOf } from '../../../domain/errors.ts';
import { journalPath } from '../../../domain/node-paths.ts';
import type { NodeNumber } from '../../../playground/lab/lab.ts';
import { configMaps, expectSameKeys, LAB_CLUSTER as cluster, type LabWorld } from '../lab-world.ts';
import { until } from '../until.ts';
import { startChildWorker } from './child-worker.ts';
import type { Arena, Outcome } from './run-matrix.ts';

export const LAB_TARGETS = ['worker', 'workflow', 'Temporal', 'SSH', 'kubelet', 'etcd member', 'the step'] as const;
export type LabTarget = (typeof LAB_TARGETS)[number];

/** The commands to run in a node; a signal that finds no process is fine. */
const KILLS = {
  // Kills every connection of the operator, with the commands that it runs.
  SSH: 'pkill -KILL -f "^sshd: core" || true',
  kubelet: 'pkill -KILL -x kubelet || true',
  'etcd member': 'pkill -KILL -x etcd || true',
} satisfies Partial<Record<LabTarget, string>>;

/** Takes the backup that every restore uses. */
export async function labArena(world: LabWorld): Promise<Arena<LabTarget>> {
  const { lab, configFile, temporal } = world;
  const numbers = lab.nodes.map(({ number }) => number);
  let count = 0;
  let etcdKilledOn: NodeNumber | undefined;
  let before = { maps: {} as Record<string, string>, clusterId: '' };

  async function start(operation: string, input: object): Promise<WorkflowHandle> {
    count += 1;
    const options = { taskQueue: TASK_QUEUE, workflowId: `${operation}/matrix/${count}`, args: [input] };
    return await temporal.client.workflow.start(operation, options);
  }
  /**
   * Writes as soon as the first kube-apiserver accepts it, because its kubelet may be restarting it after the previous
   * cell's kill.
   */
  async function createConfigMap(name: string): Promise<void> {
    await until(`config map ${name} is made`, async () => {
      const answer = await lab.kubectl('create', 'configmap', name, `--from-literal=value=${name}`).catch(messageOf);
      return /created|AlreadyExists/.test(answer);
    });
  }

  await createConfigMap('kept');
  const worker = await startChildWorker({ configFile, temporalAddress: temporal.address });
  const backing = await start('backup', { cluster, override: ['young-cluster', 'rollout'] });
  const { backup } = (await backing.result()) as BackupReport;
  await worker.kill();
  const kept = await configMaps(lab, 1);

  /** Undefined when a node doesn't answer yet. */
  async function differs(number: NodeNumber, outcome: Outcome): Promise<string | undefined> {
    const wanted = outcome === 'restored' ? kept : before.maps;
    const seen = await configMaps(lab, number).catch(() => undefined);
    if (seen === undefined) return 'does not answer';
    assert.deepEqual(seen, wanted, `the config maps of node ${number}`);
    return undefined;
  }

  return {
    cluster,
    temporalAddress: temporal.address,
    configFile,
    async unsettle() {
      // For 10 min a kubelet waits longer each time before it starts an etcd that has died. Each cell is to have a
      // kubelet that has seen none die.
      if (etcdKilledOn !== undefined) await lab.onNode(etcdKilledOn, ['systemctl', 'restart', 'kubelet']);
      etcdKilledOn = undefined;
      await createConfigMap(`later-${count}`);
      before = { maps: await configMaps(lab, 1), clusterId: await expectSameKeys(world.cluster) };
    },
    async startRestore(resume) {
      const how = resume === undefined ? { approve: 'auto', backup, onFailure: 'rollback' } : { resume };
      return await start('restore', { cluster, confirm: cluster, ...how });
    },
    async kill(target, place) {
      if (target === 'Temporal') {
        await temporal.killAndRestart();
        return;
      }
      const number = lab.nodes.find(({ name }) => name === place)?.number ?? 2;
      if (target === 'etcd member') etcdKilledOn = number;
      await lab.onNode(number, ['sh', '-c', KILLS[target]]);
    },
    async tidy() {
      // The kubelet is started again by systemd, etcd by the kubelet, sshd takes new connections: nobody has to do
      // anything.
    },
    async expectState(outcome) {
      for (const number of numbers) {
        const node = `n${number}`;
        await until(`${node} is ${outcome}`, async () => (await differs(number, outcome)) === undefined, 300_000);
        const { exitCode } = await lab.tryOnNode(number, ['test', '-e', journalPath('/var/lib/etcd')]);
        assert.equal(exitCode, 1, `${node} has no journal`);
      }
      assert.equal((await expectSameKeys(world.cluster)) !== before.clusterId, outcome === 'restored');
    },
  };
}
