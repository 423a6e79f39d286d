/**
 * Measures how long the API is down during a restore of three kubeadm nodes: Salvor with a small and a large database,
 * the same by hand, and by hand one node after another. They take turns in one run on the lab.
 */
import { loadavg } from 'node:os';
import type { BackupReport } from '../domain/operations/backup.ts';
import { TASK_QUEUE } from '../domain/operations/common.ts';
import type { StepRecord } from '../domain/operations/steps.ts';
import type { RestoreReport } from '../domain/operations/restore.ts';
import { LAB_CLUSTER, type LabWorld, type Outage, probe, startLabWorld } from '../test/support/lab-world.ts';
import { startChildWorker } from '../test/support/matrix/child-worker.ts';
import { nodeCredentials } from '../adapters/etcd/node-credentials.ts';
import { traitsOf } from '../domain/flavours/index.ts';
import { fill, fillRaftLog } from './data/fill.ts';
import { type Cleanup, cleanUpAll } from './harness/cleanup.ts';
import { restoreByHand } from './harness/by-hand.ts';
import { mebibytes, publish, say, seconds, verdict } from './harness/report.ts';

export interface DowntimeOptions {
  smallBytes: number;
  largeBytes: number;
}

interface Way {
  name: string;
  bytes: number;
  outage: Outage;
  /** Salvor's own record. */
  steps?: StepRecord[];
}

/** The steps during which the API is down. */
const AWAY = [
  'Stop kube-apiserver',
  'Stop etcd',
  'Swap the data directory',
  'Start etcd',
  'Check the members',
  'Start kube-apiserver',
  'Check kube-apiserver',
];

export async function benchDowntime({ smallBytes, largeBytes }: DowntimeOptions): Promise<void> {
  const [loadBefore = 0] = loadavg();
  const cleanups: Cleanup[] = [];
  const ways: Way[] = [];
  try {
    say('three kubeadm nodes are brought up ...');
    const world = await startLabWorld();
    cleanups.push(() => world.down());
    const worker = await startChildWorker({
      configFile: world.configFile,
      temporalAddress: world.temporal.address,
    });
    cleanups.push(() => worker.kill());

    await grow(world, smallBytes);
    ways.push({ name: 'Salvor', bytes: smallBytes, ...(await bySalvor(world)) });
    ways.push({ name: 'by hand', bytes: smallBytes, outage: await byHand(world, 'together') });
    ways.push({ name: 'by hand, one node after another', bytes: smallBytes, outage: await byHand(world, 'in turn') });
    say(`filling etcd up to ${mebibytes(largeBytes)} ...`);
    await grow(world, largeBytes);
    ways.push({ name: 'Salvor', bytes: largeBytes, ...(await bySalvor(world)) });
    ways.push({ name: 'by hand', bytes: largeBytes, outage: await byHand(world, 'together') });
  } finally {
    await cleanUpAll(cleanups);
  }
  await publish(reportOf(ways), loadBefore);
}

function reportOf(ways: Way[]) {
  const all = (name: string, at: 'small' | 'large') => {
    const found = ways.filter((way) => way.name === name);
    return (at === 'small' ? found[0] : found.at(-1))?.outage.someMs ?? NaN;
  };
  const measured = ways.filter(({ steps }) => steps !== undefined);
  const ratio = (value: number) => value.toFixed(2);
  return {
    name: 'downtime',
    title: 'The downtime of a restore of three kubeadm nodes',
    method:
      'Three real control planes on one machine (playground/lab), etcd and kube-apiserver as static pods. A prober asks every kube-apiserver for `/readyz` five times a second, from before ' +
      'the restore until the cluster is healthy again. "None ready" is the longest time in which none was ready; "not all ready" is the longest time in which not all were. ' +
      'By hand: a careful person at a shell already has the snapshot on every node, and runs each step on all nodes before the next one: move the manifests out, ' +
      'wait until the processes are gone, restore, put etcd back, wait until it is healthy, put the other manifests back. One node after another: the same node by node, ' +
      'waiting for each. What Salvor does before the first component stops (the backup of the present state, the trial, staging) is not downtime and is not in these figures.',
    tables: [
      {
        title: 'The API away',
        head: ['way', 'database', 'none ready', 'not all ready'],
        rows: ways.map(({ name, bytes, outage }) => [
          name,
          mebibytes(bytes),
          seconds(outage.noneMs / 1_000),
          seconds(outage.someMs / 1_000),
        ]),
      },
      {
        title: 'Where the time goes in Salvor',
        head: ['step, on all nodes', ...measured.map(({ bytes }) => mebibytes(bytes))],
        rows: AWAY.map((step) => [step, ...measured.map(({ steps = [] }) => seconds(spanMs(steps, step) / 1_000))]),
      },
    ],
    verdicts: [
      verdict(
        'Salvor, the large database against the small one',
        all('Salvor', 'large') / all('Salvor', 'small'),
        1.5,
        ratio,
      ),
      verdict('Salvor against the drill by hand, small', all('Salvor', 'small') / all('by hand', 'small'), 0.5, ratio),
      verdict('Salvor against the drill by hand, large', all('Salvor', 'large') / all('by hand', 'large'), 0.5, ratio),
      verdict(
        'Salvor against one node after another',
        all('Salvor', 'small') / all('by hand, one node after another', 'small'),
        0.5,
        ratio,
      ),
    ],
  };
}

/** From the start of a step on the first node to its end on the last. */
function spanMs(steps: StepRecord[], name: string): number {
  const spans = steps.flatMap(({ name: own, startedAt, durationMs }) => {
    if (own !== name || startedAt === null || durationMs === null) return [];
    const fromMs = Date.parse(startedAt);
    return [{ fromMs, toMs: fromMs + durationMs }];
  });
  return Math.max(...spans.map(({ toMs }) => toMs)) - Math.min(...spans.map(({ fromMs }) => fromMs));
}

/** Adds keys that kube-apiserver does not keep in memory. */
async function grow({ cluster }: LabWorld, bytes: number): Promise<void> {
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error('the lab has no node');
  const { clientCertificate } = traitsOf(cluster.flavour).etcd;
  if (clientCertificate === null) throw new Error('the lab is of kubeadm, whose nodes have a client certificate');
  const { ca, cert, key } = await nodeCredentials(cluster, clientCertificate);
  const etcd = {
    hosts: first.etcd.clientUrl,
    credentials: { rootCertificate: ca, certChain: cert, privateKey: key },
  };
  await fill(etcd, 'random', bytes, '/salvor-bench');
  await fillRaftLog(etcd);
}

async function bySalvor({ lab, temporal }: LabWorld): Promise<Pick<Way, 'outage' | 'steps'>> {
  const run = async <R>(operation: string, input: object): Promise<R> => {
    const options = { taskQueue: TASK_QUEUE, workflowId: `${operation}/bench/${Date.now()}`, args: [input] };
    return (await temporal.client.workflow.execute(operation, options)) as R;
  };
  const override = ['young-cluster', 'rollout'];
  say('Salvor: backup ...');
  const { backup } = await run<BackupReport>('backup', { cluster: LAB_CLUSTER, override });
  say('Salvor: restore ...');
  const prober = probe(lab);
  const { outcome, problem, steps } = await run<RestoreReport>('restore', {
    cluster: LAB_CLUSTER,
    confirm: LAB_CLUSTER,
    backup,
    approve: 'auto',
  });
  if (outcome !== 'restored') throw new Error(`the restore is ${outcome}: ${problem}`);
  await lab.waitUntilWell();
  return { outage: await prober.stop(), steps };
}

async function byHand({ lab }: LabWorld, how: 'together' | 'in turn'): Promise<Outage> {
  say(`by hand, ${how} ...`);
  const prober = probe(lab);
  await restoreByHand(lab, how);
  await lab.waitUntilWell();
  return await prober.stop();
}
