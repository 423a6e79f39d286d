/**
 * The real parts that the benchmarks run against: one etcd member, an S3 server, a Temporal server, and Salvor's worker
 * as a process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { Client } from '@temporalio/client';
import { stringify } from 'yaml';
import { TASK_QUEUE } from '../../domain/operations/common.ts';
import { startEtcdCluster, type TestMember } from '../../test/support/etcd-cluster.ts';
import { type S3Server, startS3Server } from '../../test/support/s3-server.ts';
import { startTemporal } from '../../test/support/temporal.ts';
import { cacheDirectory, environment } from '../../adapters/environment.ts';

export const BUCKET = 'bench';
export const CLUSTER = 'bench';
const ROOT = dirname(dirname(import.meta.dirname));
/** Room for a database of 4 GiB and the extra room that etcd needs. */
const QUOTA_BYTES = 8 * 1024 ** 3;

/** Makes an empty folder on disk for one benchmark; leftovers of an earlier run are removed first. */
export async function benchFolder(name: string): Promise<string> {
  const folder = join(cacheDirectory(), 'bench', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/**
 * Starts one member with room for large databases; it doesn't wait for the disk, which affects only how fast it fills.
 */
export async function startEtcd(folder: string): Promise<{ member: TestMember; stop: () => Promise<void> }> {
  const cluster = await startEtcdCluster({
    members: 1,
    directory: folder,
    flags: [`--quota-backend-bytes=${QUOTA_BYTES}`, '--auto-compaction-retention=0', '--log-level=error'],
  });
  const [member] = cluster.members;
  if (member === undefined) throw new Error('etcd has no member');
  return { member, stop: () => cluster.stop() };
}

export async function startS3(): Promise<S3Server> {
  const server = await startS3Server();
  if (server === undefined) throw new Error('versitygw is not at hand; `make setup` fetches it');
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: server.credentials,
  });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
  return server;
}

export interface SalvorOptions {
  folder: string;
  clientUrl: string;
  s3?: S3Server;
  compression: 'zstd' | 'none';
}

/**
 * Writes the configuration of a cluster with one member, a local store and, if there is an S3 server, a store in its
 * bucket.
 */
export async function writeConfiguration({ folder, clientUrl, s3, compression }: SalvorOptions): Promise<string> {
  const local = join(folder, 'store');
  await mkdir(local, { recursive: true });
  const file = join(folder, 'salvor.yaml');
  const secrets = { accessKeyId: join(folder, 'access-key-id'), secretAccessKey: join(folder, 'secret-access-key') };
  if (s3) {
    await writeFile(secrets.accessKeyId, s3.credentials.accessKeyId, { mode: 0o600 });
    await writeFile(secrets.secretAccessKey, s3.credentials.secretAccessKey, { mode: 0o600 });
  }
  const configuration = {
    stores: {
      local: { type: 'filesystem', path: local },
      ...(s3 && {
        offsite: {
          type: 's3',
          bucket: BUCKET,
          endpoint: s3.endpoint,
          pathStyle: true,
          credentials: {
            accessKeyId: { file: secrets.accessKeyId },
            secretAccessKey: { file: secrets.secretAccessKey },
          },
        },
      }),
    },
    clusters: {
      [CLUSTER]: {
        flavour: 'etcd',
        stores: s3 ? ['local', 'offsite'] : ['local'],
        compression,
        nodes: [{ name: 'm1', address: '127.0.0.1', connection: 'local', etcd: { clientUrl, ...NO_SERVICE } }],
      },
    },
  };
  await writeFile(file, stringify(configuration));
  return file;
}

/** A backup starts and stops nothing. */
const NO_SERVICE = {
  peerUrl: 'http://127.0.0.1:2380',
  dataDir: '/nonexistent',
  service: { start: ['false'], stop: ['false'], status: ['false'] },
};

export interface Temporal {
  address: string;
  client: Client;
  stop: () => Promise<void>;
}

export async function startTemporalServer(): Promise<Temporal> {
  const server = await startTemporal();
  return { address: server.address, client: server.client, stop: () => server.teardown() };
}

export interface WorkerProcess {
  pid: number;
  stop: () => Promise<void>;
}

/** Starts `salvor worker` and waits until it polls. */
export async function startWorker(
  configFile: string,
  temporalAddress: string,
  scratch: string,
): Promise<WorkerProcess> {
  const child = spawn(join(ROOT, 'bin/salvor'), ['worker', '--config', configFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...environment(), TEMPORAL_ADDRESS: temporalAddress, SALVOR_SCRATCH: scratch },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the worker could not be started');
  await untilPolling(child);
  return {
    pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function untilPolling(child: ChildProcess): Promise<void> {
  if (child.stderr === null) throw new Error('the worker has no standard error');
  const said: string[] = [];
  const lines = createInterface({ input: child.stderr });
  for await (const line of lines) {
    said.push(line);
    if (!line.includes('polling')) continue;
    // Later output, above all about failed attempts, belongs on the screen.
    child.stderr.pipe(process.stderr);
    return;
  }
  throw new Error(`the worker ended:\n${said.join('\n')}`);
}

let operations = 0;

/** Runs an operation through the library and waits for its report. */
export async function operate<R>({ client }: Temporal, operation: string): Promise<R> {
  operations += 1;
  const options = {
    taskQueue: TASK_QUEUE,
    workflowId: `${operation}/bench/${operations}`,
    args: [{ cluster: CLUSTER }],
  };
  return (await client.workflow.execute(operation, options)) as R;
}
