/**
 * A cluster of etcd members, with its configuration and a store. Commands start and stop the members, as a team's own
 * scripts would.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { localHost } from '../../adapters/hosts/local.ts';
import { messageOf } from '../../domain/errors.ts';
import { endStrays } from '../../playground/processes.ts';
import { writeService } from '../../playground/service.ts';
import { createActivities } from '../../activities/index.ts';
import { openMember } from '../../adapters/etcd/client.ts';
import { type MemberPlan, planMembers } from './etcd-cluster.ts';
import { withWorker } from './temporal.ts';
import { until } from './until.ts';

export const CLUSTER = 'versions';

export interface ServiceCluster extends AsyncDisposable {
  members: MemberPlan[];
  /** The directory of the store's files. */
  store: string;
  directory: string;
  configFile: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Makes a cluster that is not running yet.
 * @param etcd the program of the members
 * @param fields further fields of every node's `etcd` in the configuration
 */
export async function serviceCluster(etcd: string, fields: object = {}): Promise<ServiceCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'salvor-services-'));
  const members = await planMembers(3, directory);
  const initialCluster = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  const script = ({ name }: MemberPlan): string => join(directory, `${name}-service`);
  for (const member of members) {
    const { name, clientUrl, peerUrl, dataDir } = member;
    await writeService(script(member), {
      name,
      directory,
      argv: [
        etcd,
        `--name=${name}`,
        `--data-dir=${dataDir}`,
        `--listen-client-urls=${clientUrl}`,
        `--advertise-client-urls=${clientUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=${initialCluster}`,
      ],
      record: join(directory, `${name}.pid`),
      log: join(directory, `${name}.log`),
      graceSeconds: 20,
    });
  }
  const store = join(directory, 'backups');
  await mkdir(store);
  const configFile = join(directory, 'salvor.yaml');
  const configuration = {
    stores: { local: { type: 'filesystem', path: store } },
    clusters: {
      [CLUSTER]: {
        flavour: 'etcd',
        stores: ['local'],
        compression: 'none',
        nodes: members.map((member, index) => ({
          name: member.name,
          address: `127.0.0.1${index + 1}`,
          etcd: {
            clientUrl: member.clientUrl,
            peerUrl: member.peerUrl,
            dataDir: member.dataDir,
            service: Object.fromEntries(['start', 'stop', 'status'].map((word) => [word, [script(member), word]])),
            ...fields,
          },
        })),
      },
    },
  };
  await writeFile(configFile, JSON.stringify(configuration));

  async function everywhere(word: 'start' | 'stop'): Promise<void> {
    const signal = AbortSignal.timeout(120_000);
    await Promise.all(
      members.map(async (member) => await localHost(member.name).run([script(member), word], { signal })),
    );
  }
  return {
    members,
    store,
    directory,
    configFile,
    async start() {
      await everywhere('start');
      for (const { name, clientUrl } of members) await untilServing(name, clientUrl);
    },
    stop: () => everywhere('stop'),
    async [Symbol.asyncDispose]() {
      await endStrays(directory, 0);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Waits until a member serves and knows a leader. */
export async function untilServing(node: string, clientUrl: string): Promise<void> {
  let seen = '';
  await until(`${node} serves`, async () => {
    const member = await openMember({ node, clientUrl });
    try {
      return (await member.status(AbortSignal.timeout(2_000))).leaderId !== '0';
    } catch (error) {
      seen = messageOf(error);
      return false;
    } finally {
      member.close();
    }
  }).catch((error: unknown) => {
    throw new Error(`${messageOf(error)}: ${seen}`);
  });
}

/** Hosts a worker that reads the configuration while `work` runs. */
export async function withOperations<T>(
  temporal: TestWorkflowEnvironment,
  configFile: string,
  work: (run: <R>(operation: string, input: object) => Promise<R>) => Promise<T>,
): Promise<T> {
  return await withWorker(temporal, createActivities(configFile, temporal.client), async (taskQueue) => {
    let count = 0;
    return await work(async <R>(operation: string, input: object) => {
      const options = { taskQueue, workflowId: `${operation}/${taskQueue}/${++count}`, args: [input] };
      return (await temporal.client.workflow.execute(operation, options)) as R;
    });
  });
}
