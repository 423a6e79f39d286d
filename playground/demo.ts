/**
 * `make demo`: a control plane is filled, backed up, destroyed and restored, with the worker killed in the middle, and
 * every object is proven to be back. Everything is real; the operations run through the command `bin/salvor`.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { backupIdOf } from '../domain/format/keys.ts';
import { messageOf, SalvorError } from '../domain/errors.ts';
import { etcdWorld } from './demo/etcd-world.ts';
import { kubernetesWorld } from './demo/kubernetes-world.ts';
import { chapter, detail, say, seconds, step, summary } from './demo/narrative.ts';
import { type Backup, backupSchema, type Restore, restoreSchema } from './demo/reports.ts';
import { salvor } from './demo/salvor.ts';
import { differences, type Remembered, type World } from './demo/world.ts';
import { bringUpPart, killPart, killWorker, type Playground } from './handle.ts';
import { playgroundDown, playgroundStatus, playgroundUp } from './playground.ts';
import { CLUSTER, defaultDirectory } from './state.ts';

/** The node whose data directory is destroyed. */
const VICTIM = 'm3';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kubernetes: { type: 'string', default: 'auto' },
      directory: { type: 'string', default: defaultDirectory() },
    },
  });
  if (!['yes', 'no', 'auto'].includes(values.kubernetes)) {
    throw new SalvorError('InvalidInput', `--kubernetes ${values.kubernetes}: expected yes, no or auto`);
  }
  const directory = resolve(values.directory);
  const kubernetes = values.kubernetes === 'auto' ? undefined : values.kubernetes === 'yes';

  say('Salvor: a control plane is backed up, destroyed and restored, and the worker dies on the way.');
  chapter('The playground comes up');
  const playground = await bringUp(directory, kubernetes);
  const id = backupIdOf(new Date()).slice(-6);
  const world = playground.kubernetes ? kubernetesWorld(playground, id) : await etcdWorld(playground, id);

  chapter(playground.kubernetes ? 'Objects are put in through the Kubernetes API' : 'Objects are put into etcd');
  const wanted = await world.fill();
  detail(world.contents);

  const backup = await takeBackup(playground);
  await writeFile(unfinishedMark(directory), `since ${new Date().toISOString()}\n`);
  await disaster(playground, world);
  const { report, killedFor } = await restoreThroughDeath(playground, backup);
  const compared = await prove(playground, world, wanted);
  await rm(unfinishedMark(directory));
  summary(playground, backup, report, killedFor, compared);
}

/** The cluster is broken between the disaster and the proof: a demo that was ended there can't be continued. */
function unfinishedMark(directory: string): string {
  return join(directory, 'demo-unfinished');
}

async function bringUp(directory: string, kubernetes: boolean | undefined): Promise<Playground> {
  const upAt = Date.now();
  const { parts } = await playgroundStatus(directory);
  const unfinished = await rm(unfinishedMark(directory)).then(
    () => true,
    () => false,
  );
  if (unfinished) {
    detail('an earlier demo was ended in the middle of its disaster: its playground will be replaced');
    await playgroundDown(directory);
  }
  const options = { directory, onProgress: detail, ...(kubernetes !== undefined && { kubernetes }) };
  const playground = await playgroundUp(options);
  detail(
    `${!unfinished && parts.some(({ running }) => running) ? 'it was up already' : 'up'} in ${directory} (${seconds(Date.now() - upAt)})`,
  );
  return playground;
}

async function takeBackup(playground: Playground): Promise<Backup> {
  chapter(`bin/salvor backup ${CLUSTER}`);
  const backup = await salvor(playground, ['backup', CLUSTER], backupSchema, step);
  detail(
    `backup ${backup.backup}, ${backup.state}: revision ${backup.revision}, ${backup.totalKeys} keys from ${backup.node} (${seconds(backup.durationMs)})`,
  );
  for (const { kind, bytes, copies } of backup.artifacts) {
    detail(`${kind}, ${Math.ceil(bytes / 1024)} KiB, in ${copies.map(({ store }) => store).join(' and ')}`);
  }
  return backup;
}

async function disaster(playground: Playground, world: World): Promise<void> {
  chapter('The disaster');
  detail(await world.destroy());
  const victim = playground.nodes.find(({ name }) => name === VICTIM);
  await killPart(playground, `etcd-${VICTIM}`, 'SIGKILL');
  await rm(victim?.dataDir ?? '', { recursive: true, force: true });
  detail(`etcd on ${VICTIM} killed and its data directory destroyed: ${victim?.dataDir}`);
}

/** Runs a restore whose worker is killed while etcd is stopped everywhere: the worst possible moment. */
async function restoreThroughDeath(
  playground: Playground,
  { backup }: Backup,
): Promise<{ report: Restore; killedFor: number }> {
  const args = ['restore', CLUSTER, '--backup', backup, '--confirm', CLUSTER, '--approve', 'auto'];
  chapter(`bin/salvor ${args.join(' ')}`);
  let ended = false;
  const restoring = salvor(playground, args, restoreSchema, step).finally(() => (ended = true));
  const killing = killWorkerWhenDown(playground, () => ended);
  const [report, killedFor] = await Promise.all([restoring, killing]);
  detail(`${report.outcome}; the API was away for ${seconds(report.downtimeMs)}`);
  return { report, killedFor };
}

async function killWorkerWhenDown(playground: Playground, restoreEnded: () => boolean): Promise<number> {
  const members = playground.nodes.map(({ name }) => `etcd-${name}`);
  for (;;) {
    const running = await Promise.all(members.map(async (name) => (await playground.part(name)).running));
    if (running.every((each) => !each)) break;
    if (restoreEnded())
      throw new SalvorError('UnsafeState', 'the restore ended before the worker could be killed in its middle');
    await delay(5);
  }
  const { pid } = await playground.part('worker');
  await killWorker(playground, 'SIGKILL');
  const killedAt = Date.now();
  detail(`>>> the worker (process ${pid}) is killed with SIGKILL, while etcd is stopped on every node`);
  await bringUpPart(playground, 'worker');
  const { pid: successor } = await playground.part('worker');
  const killedFor = Date.now() - killedAt;
  detail(
    `>>> a new worker (process ${successor}) is running after ${seconds(killedFor)}; the operation continues from its last completed step`,
  );
  return killedFor;
}

async function prove(playground: Playground, world: World, wanted: Remembered): Promise<number> {
  chapter(
    playground.kubernetes
      ? 'Every object is read back through every kube-apiserver'
      : 'Every key is read back from every member',
  );
  for (const { name } of playground.nodes) {
    // A kube-apiserver that was just started needs a moment before it serves custom resources.
    const giveUpAt = Date.now() + 30_000;
    let different = differences(wanted, await world.read(name));
    while (different.length > 0 && Date.now() < giveUpAt) {
      await delay(200);
      different = differences(wanted, await world.read(name));
    }
    if (different.length > 0) {
      throw new SalvorError(
        'UnsafeState',
        `${different.length} of ${wanted.size} objects differ from before on ${name}, the first: ${different[0]}`,
      );
    }
    detail(`${name}: ${wanted.size} of ${wanted.size} the same as before`);
  }
  return wanted.size;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SalvorError)) throw error;
  process.stderr.write(`\n${error.type}: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
