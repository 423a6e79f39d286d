/** A whole playground for one test, with helpers. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { Etcd3 } from 'etcd3';
import { parse, stringify } from 'yaml';
import { TASK_QUEUE } from '../../domain/operations/common.ts';
import type { Playground } from '../../playground/handle.ts';
import { playgroundDown, playgroundUp } from '../../playground/playground.ts';

export const PLAYGROUND_CLUSTER = 'playground';

export interface World {
  playground: Playground;
  temporal: Client;
  /** A connection to the member of one node. */
  etcd(node?: string): Etcd3;
  /** Starts an operation through the library. */
  start(operation: string, input: object): Promise<WorkflowHandle>;
  /** Starts an operation and waits for its report. */
  run<R>(operation: string, input: object): Promise<R>;
  /** Changes the configuration file, which the worker reads again for each operation. */
  configure: (change: (configuration: Configuration) => void) => Promise<void>;
  down(): Promise<void>;
}

/** The part of `salvor.yaml` that tests change. */
export interface Configuration {
  stores: Record<string, Record<string, unknown>>;
  clusters: Record<string, Record<string, unknown> & { nodes: Record<string, unknown>[] }>;
}

export async function startWorld({ kubernetes }: { kubernetes: boolean }): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'salvor-world-'));
  const playground = await playgroundUp({ directory, kubernetes }).catch(async (error: unknown) => {
    await playgroundDown(directory);
    throw error;
  });
  const connection = await Connection.connect({ address: playground.temporalAddress });
  const temporal = new Client({ connection });
  const members = new Map<string, Etcd3>();
  const [ca, cert, key] = await Promise.all(
    [playground.etcdTls.ca, playground.etcdTls.cert, playground.etcdTls.key].map(async (file) => await readFile(file)),
  );
  if (!ca || !cert || !key) throw new Error('the playground has no certificates');
  let count = 0;

  const start = async (operation: string, input: object) =>
    await temporal.workflow.start(operation, {
      taskQueue: TASK_QUEUE,
      workflowId: `${operation}/test/${++count}`,
      args: [input],
    });

  return {
    playground,
    temporal,
    start,
    etcd(node = 'm1') {
      const host = playground.nodes.find(({ name }) => name === node)?.clientUrl ?? '';
      const member =
        members.get(node) ??
        new Etcd3({ hosts: host, credentials: { rootCertificate: ca, certChain: cert, privateKey: key } });
      members.set(node, member);
      return member;
    },
    async run<R>(operation: string, input: object) {
      const handle = await start(operation, input);
      return (await handle.result()) as R;
    },
    async configure(change) {
      const configuration = parse(await readFile(playground.configFile, 'utf8')) as Configuration;
      change(configuration);
      await writeFile(playground.configFile, stringify(configuration));
    },
    async down() {
      for (const member of members.values()) member.close();
      await connection.close();
      await playgroundDown(directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Puts keys named like those of Kubernetes. */
export async function putKeys(etcd: Etcd3, count: number, prefix = '/registry/configmaps/default/'): Promise<void> {
  for (let first = 0; first < count; first += 50) {
    const batch = Array.from({ length: Math.min(50, count - first) }, (_, index) => first + index);
    await Promise.all(
      batch.map(async (index) => await etcd.put(`${prefix}cm-${index}`).value(`value-${index}`).exec()),
    );
  }
}

/** Every key below /registry/ with its value. */
export async function readKeys(etcd: Etcd3): Promise<Record<string, string>> {
  return await etcd.getAll().prefix('/registry/').strings();
}
