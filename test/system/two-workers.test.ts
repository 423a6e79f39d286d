/** Two workers whose files say different things: none does what the other's file says. */
import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { after, before, test } from 'node:test';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { parse, stringify } from 'yaml';
import { createActivities } from '../../activities/index.ts';
import { loadCluster } from '../../adapters/configuration/load.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import { failureMessageIn, failureTypeIn } from '../support/failures.ts';
import { quietRuntime } from '../support/temporal.ts';
import {
  type Configuration,
  PLAYGROUND_CLUSTER as cluster,
  putKeys,
  readKeys,
  startWorld,
  type World,
} from '../support/world.ts';

/** The queue of the worker on m1. */
const QUEUE = 'node-m1';

let world: World;
let other: string;
let backup: string;
let worker: Worker;
let running: Promise<void>;
let connection: NativeConnection;
before(async () => {
  quietRuntime();
  world = await startWorld({ kubernetes: false });
  await putKeys(world.etcd(), 20);
  ({ backup } = await world.run<BackupReport>('backup', { cluster }));
  await world.configure(({ clusters }) => {
    Object.assign(clusters[cluster]?.nodes[0] ?? {}, { taskQueue: QUEUE });
  });
  other = `${world.playground.configFile}.other.yaml`;
  await copyFile(world.playground.configFile, other);
  connection = await NativeConnection.connect({ address: world.playground.temporalAddress });
  worker = await Worker.create({
    connection,
    taskQueue: QUEUE,
    activities: createActivities(other, world.temporal),
  });
  running = worker.run();
});
after(async () => {
  worker.shutdown();
  await running;
  await connection.close();
  await world.down();
});

/** Gives the worker on m1 a file in which m1 keeps its data elsewhere. */
async function exchangeFile(): Promise<void> {
  const configuration = parse(await readFile(other, 'utf8')) as Configuration;
  const [node] = configuration.clusters[cluster]?.nodes ?? [];
  Object.assign(node?.['etcd'] ?? {}, { dataDir: '/var/lib/somewhere-else' });
  await writeFile(other, stringify(configuration));
}

async function failureOf(result: Promise<unknown>): Promise<{ type: string | undefined; message: string }> {
  const error: unknown = await result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { type: failureTypeIn(error), message: failureMessageIn(error) };
}

function expectDiffers({ type, message }: { type: string | undefined; message: string }): void {
  assert.equal(type, 'ConfigurationDiffers', message);
  assert.ok(message.includes(hostname()) && message.includes(other), message);
  assert.match(message, /has another configuration of playground .*Nothing was done/);
}

test('workers with the same cluster in their files work together, wherever the files lie', async () => {
  const plan = await world.run<{ digest: string }>('planRestore', { cluster });
  assert.match(plan.digest, /^[0-9a-f]{12}$/);
});

test('a restore, a replacement and a prune are refused by host and file when the files differ, and nothing is touched', async () => {
  await exchangeFile();
  const before = await readKeys(world.etcd());
  expectDiffers(await failureOf(world.run('restore', { cluster, confirm: cluster, backup, approve: 'auto' })));
  expectDiffers(await failureOf(world.run('replaceMember', { cluster, confirm: cluster, node: 'm1', healthy: true })));
  const { digest } = await loadCluster(world.playground.configFile, cluster);
  const environment = new MockActivityEnvironment(
    { workflowType: 'prune' },
    { logger: new DefaultLogger('ERROR', () => {}) },
  );
  const { removeBackups } = createActivities(other, world.temporal);
  // Over Temporal a cluster is its name and its digest.
  const order = { cluster: { name: cluster, digest }, store: 'local', backups: [backup] };
  expectDiffers(await failureOf(environment.run(removeBackups as (input: object) => Promise<unknown>, order)));
  assert.deepEqual(await readKeys(world.etcd()), before);
  const { backups } = await world.run<{ backups: { backup: string }[] }>('listBackups', { cluster });
  assert.ok(backups.some((entry) => entry.backup === backup));
});
