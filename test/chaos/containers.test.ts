/**
 * etcd in containers, with nothing but etcd and etcdutl in their image: found, stopped, restored and started by the
 * presets.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Etcd3 } from 'etcd3';
import type { BackupReport } from '../../domain/operations/backup.ts';
import { TASK_QUEUE } from '../../domain/operations/common.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { environment } from '../../adapters/environment.ts';
import { type Engine, engineMissing, type EngineName, startEngine } from '../support/containers.ts';
import { type MemberPlan, planMembers } from '../support/etcd-cluster.ts';
import { untilServing } from '../support/service-cluster.ts';
import { startTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { putKeys, readKeys } from '../support/world.ts';

const CLUSTER = 'contained';
const IMAGE = 'etcd:test';
/** Where a container has its data, whatever the path on the node. */
const INSIDE = '/etcd-data';

let temporal: TestWorkflowEnvironment;
before(async () => {
  temporal = await startTemporal();
});
after(async () => await temporal.teardown());

/** A worker of its own, whose environment leads to the engine. */
async function startWorker(engine: Engine, configFile: string): Promise<() => Promise<void>> {
  const main = join(import.meta.dirname, '../../workers/main.ts');
  const env = { ...environment(), ...engine.env, SALVOR_CONFIG: configFile, TEMPORAL_ADDRESS: temporal.address };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until('the worker polls', async () => said.includes(`polling "${TASK_QUEUE}"`)).catch(() => {
    throw new Error(`the worker does not poll: ${said}`);
  });
  return async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  };
}

async function createMembers(engine: Engine): Promise<MemberPlan[]> {
  // A release that the worker has no tool of.
  await engine.buildImage(IMAGE, { etcd: 'etcd35', etcdutl: 'etcdutl35' });
  const members = await planMembers(3, engine.directory);
  const initialCluster = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  for (const { name, clientUrl, peerUrl, dataDir } of members) {
    await mkdir(dataDir, { mode: 0o700 });
    const settings = {
      ETCD_NAME: name,
      ETCD_DATA_DIR: INSIDE,
      ETCD_LISTEN_CLIENT_URLS: clientUrl,
      ETCD_ADVERTISE_CLIENT_URLS: clientUrl,
      ETCD_LISTEN_PEER_URLS: peerUrl,
      ETCD_INITIAL_ADVERTISE_PEER_URLS: peerUrl,
      ETCD_INITIAL_CLUSTER: initialCluster,
    };
    const env = Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
    // podman would raise these limits, which not every machine allows.
    const limits = engine.name === 'podman' ? ['--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024'] : [];
    const place = ['--network', 'host', '--volume', `${dataDir}:${INSIDE}`];
    await engine.run('create', '--name', `etcd-${name}`, ...limits, ...place, ...env, IMAGE, '/etcd');
  }
  return members;
}

async function configure(engine: Engine, members: MemberPlan[]): Promise<string> {
  const store = join(engine.directory, 'backups');
  await mkdir(store);
  const nodes = members.map(({ name, clientUrl, peerUrl, dataDir }, index) => ({
    name,
    address: `127.0.0.1${index + 1}`,
    etcd: { clientUrl, peerUrl, dataDir, service: { [engine.name]: `etcd-${name}` } },
  }));
  const configFile = join(engine.directory, 'salvor.yaml');
  const configuration = {
    stores: { local: { type: 'filesystem', path: store } },
    clusters: { [CLUSTER]: { flavour: 'etcd', stores: ['local'], nodes } },
  };
  await writeFile(configFile, JSON.stringify(configuration));
  return configFile;
}

const ENGINES: EngineName[] = ['docker', 'podman'];
for (const name of ENGINES) {
  const skip = (await engineMissing(name)) ?? false;
  test(`three members in containers of ${name} are restored by the etcdutl of their image`, { skip }, async () => {
    await using engine = await startEngine(name);
    const members = await createMembers(engine);
    const configFile = await configure(engine, members);
    for (const member of members) await engine.run('start', `etcd-${member.name}`);
    for (const member of members) await untilServing(member.name, member.clientUrl);
    const etcd = new Etcd3({ hosts: members.map(({ clientUrl }) => clientUrl) });
    const stopWorker = await startWorker(engine, configFile);
    try {
      const run = async <R>(operation: string, input: object): Promise<R> => {
        const options = {
          taskQueue: TASK_QUEUE,
          workflowId: `${operation}/${name}`,
          args: [{ cluster: CLUSTER, ...input }],
        };
        return (await temporal.client.workflow.execute(operation, options)) as R;
      };
      await putKeys(etcd, 30);
      const wanted = await readKeys(etcd);
      const { backup, state } = await run<BackupReport>('backup', { override: ['young-cluster'] });
      assert.equal(state, 'complete');
      const plan = await run<RestorePlan>('planRestore', { backup });
      for (const { etcdutl } of plan.nodes) assert.match(etcdutl, /a copy of the one next to its etcd|PATH/);
      await etcd.delete().prefix('/registry/').exec();

      const report = await run<RestoreReport>('restore', { confirm: CLUSTER, approve: 'auto', backup });
      assert.equal(report.outcome, 'restored', report.problem ?? '');
      assert.deepEqual(
        report.setAside.map(({ node }) => node).toSorted(),
        members.map((member) => member.name),
      );
      for (const { clientUrl } of members) {
        const member = new Etcd3({ hosts: clientUrl });
        assert.deepEqual(await readKeys(member), wanted);
        member.close();
      }
    } finally {
      etcd.close();
      await stopWorker();
    }
  });
}
