/** Restores of clusters of which little or nothing is left, onto other nodes, and from another store. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import { Etcd3 } from 'etcd3';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { bringUpPart, killPart, type PlaygroundNode } from '../../playground/handle.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, readKeys, startWorld, type World } from '../support/world.ts';

let world: World;
let backup: string;
let kept: Record<string, string>;
before(async () => {
  world = await startWorld({ kubernetes: false });
});
after(async () => await world.down());

beforeEach(async () => {
  // Whatever a test before left dead.
  for (const { name } of world.playground.nodes) await bringUpPart(world.playground, `etcd-${name}`);
  await putKeys(world.etcd(), 50);
  ({ backup } = await world.run<BackupReport>('backup', { cluster }));
  kept = await readKeys(world.etcd());
  await putKeys(world.etcd(), 10, '/registry/secrets/later/');
});

async function killMembers(...names: string[]): Promise<void> {
  for (const name of names) await killPart(world.playground, `etcd-${name}`, 'SIGKILL');
}

function dataDirOf(name: string): string {
  return world.playground.nodes.find((node) => node.name === name)?.dataDir ?? '';
}

async function endOfRestore(input: object = {}): Promise<RestoreReport> {
  const usual = { cluster, confirm: cluster, approve: 'auto', backup, onFailure: 'rollback' };
  return await world.run<RestoreReport>('restore', { ...usual, ...input });
}

async function restore(input: object = {}): Promise<RestoreReport> {
  const report = await endOfRestore(input);
  assert.equal(report.outcome, 'restored', report.problem ?? '');
  return report;
}

async function expectKept(names: readonly string[] = ['m1', 'm2', 'm3']): Promise<void> {
  for (const name of names) {
    const seen = await until(`${name} answers`, async () => await readKeys(world.etcd(name)).catch(() => undefined));
    assert.deepEqual(seen, kept);
  }
}

test('a cluster that lost its quorum is restored, past the revision that its last member still knows', async () => {
  await killMembers('m2', 'm3');
  const plan = await world.run<RestorePlan>('planRestore', { cluster, backup });
  assert.match(plan.warnings.join('\n'), /quorum is lost/);
  assert.deepEqual(plan.before.up, ['m1']);
  assert.equal(plan.changes?.vanish, 10, 'the last member still tells what will be lost');
  const { revision } = await restore();
  assert.ok(BigInt(revision.after ?? 0) > BigInt(revision.before ?? 0));
  await expectKept();
});

test('a cluster of which one member is left, and nothing on the disks of the others, is restored on all', async () => {
  await killMembers('m2', 'm3');
  for (const name of ['m2', 'm3']) await rm(dataDirOf(name), { recursive: true });
  const { setAside } = await restore();
  assert.deepEqual(
    setAside.map(({ node }) => node),
    ['m1'],
  );
  await expectKept();
});

test('a cluster of which nothing is left is restored, past any revision that a client can have seen', async () => {
  const { header } = await world.etcd().get('nothing').exec();
  await killMembers('m1', 'm2', 'm3');
  for (const name of ['m1', 'm2', 'm3']) await rm(dataDirOf(name), { recursive: true });
  const plan = await world.run<RestorePlan>('planRestore', { cluster, backup });
  assert.equal(plan.revisionGap, null);
  assert.equal(plan.changes, null);
  assert.match(plan.warnings.join('\n'), /the live revision is unknown/);
  const { revision, setAside } = await restore();
  assert.deepEqual(setAside, []);
  assert.ok(BigInt(revision.after ?? 0) > BigInt(header.revision) + 900_000_000n);
  await expectKept();
});

test('a rollback of a restore begun without quorum gives back the cluster as it was, without quorum', async () => {
  const start = join(world.playground.directory, 'start-m2');
  await world.configure(({ clusters }) => {
    const etcd = clusters[cluster]?.nodes[1]?.['etcd'] as { service: Record<string, string[]> };
    etcd.service['start'] = [start];
  });
  await killMembers('m2', 'm3');
  const report = await endOfRestore();
  assert.equal(report.outcome, 'rolled-back', report.problem ?? '');
  assert.match(report.problem ?? '', /start-m2/);
  await world.configure(({ clusters }) => {
    const etcd = clusters[cluster]?.nodes[1]?.['etcd'] as { service: Record<string, string[]> };
    etcd.service['start'] = [world.playground.nodes[1]?.etcdService ?? '', 'start'];
  });
  for (const name of ['m2', 'm3']) await bringUpPart(world.playground, `etcd-${name}`);
  const now = await until('there is a leader', async () => await readKeys(world.etcd()).catch(() => undefined));
  assert.equal(Object.keys(now).filter((key) => key.startsWith('/registry/secrets/later/')).length, 10);
});

const cannotMount = process.getuid?.() !== 0 && 'only root may mount a file system';

test(
  'a data directory that is a disk of its own stays one: the new data lies on it, and the old',
  { skip: cannotMount },
  async () => {
    const dataDir = dataDirOf('m1');
    const elsewhere = `${dataDir}.elsewhere`;
    const run = promisify(execFile);
    await killMembers('m1');
    await rename(dataDir, elsewhere);
    await mkdir(dataDir);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1g', 'salvor-test', dataDir]);
    try {
      await cp(elsewhere, dataDir, { recursive: true });
      await bringUpPart(world.playground, 'etcd-m1');
      const { setAside } = await restore();
      await expectKept();
      const path = setAside.find(({ node }) => node === 'm1')?.path ?? '';
      const disks = await Promise.all([join(dataDir, 'member'), path, dataDir].map(async (at) => (await stat(at)).dev));
      assert.equal(new Set(disks).size, 1);
      assert.notEqual(disks[0], (await stat(dirname(dataDir))).dev);
    } finally {
      await killMembers('m1');
      await rm(elsewhere, { recursive: true });
      await cp(dataDir, elsewhere, { recursive: true });
      await run('umount', [dataDir]);
      await rm(dataDir, { recursive: true });
      await rename(elsewhere, dataDir);
    }
  },
);

test('the newest backup of a time is restored, from the store that is named', async () => {
  const at = new Date().toISOString();
  await putKeys(world.etcd(), 10, '/registry/secrets/after/');
  // Backups are named by the second.
  await until('the next second', async () => Math.floor(Date.now() / 1_000) > Math.floor(Date.parse(at) / 1_000));
  const later = await world.run<BackupReport>('backup', { cluster });
  assert.notEqual(later.backup, backup);
  const plan = await world.run<RestorePlan>('planRestore', { cluster, at, store: 'offsite' });
  assert.equal(plan.backup, backup);
  assert.equal(plan.trial.store, 'offsite');
  const report = await restore({ backup: 'latest', at, store: 'offsite' });
  assert.equal(report.backup, backup);
  await expectKept();
});

test('a new node takes the place of an old one: the members are those of the configuration', async () => {
  const [, , old] = world.playground.nodes;
  assert.ok(old);
  await killMembers('m3');
  const { dataDir, service, clientUrl, peerUrl } = await newMember(old);
  await world.configure(({ clusters }) => {
    const node = clusters[cluster]?.nodes[2];
    assert.ok(node);
    node['name'] = 'm4';
    const commands = Object.fromEntries(['start', 'stop', 'status'].map((command) => [command, [service, command]]));
    node['etcd'] = { clientUrl, peerUrl, dataDir, service: commands };
  });
  try {
    const plan = await world.run<RestorePlan>('planRestore', { cluster, backup });
    assert.match(plan.warnings.join('\n'), /m4 has no data;/);
    await restore();
    await expectKept(['m1', 'm2']);
    const m4 = new Etcd3({ hosts: clientUrl, credentials: await credentials() });
    assert.deepEqual(await readKeys(m4), kept);
    const { members } = await m4.cluster.memberList({});
    assert.deepEqual(members.map(({ name }) => name).sort(), ['m1', 'm2', 'm4']);
    m4.close();
  } finally {
    await promisify(execFile)(service, ['stop']);
  }
});

/** Another member with a service of its own, on ports and in a directory of its own. */
async function newMember(old: PlaygroundNode) {
  const text = await readFile(old.etcdService, 'utf8');
  const peerPort = /--listen-peer-urls=https:\/\/[^:]+:(\d+)/.exec(text)?.[1] ?? '';
  const { port: clientPort, hostname } = new URL(old.clientUrl);
  const ports = [await freePort(hostname), await freePort(hostname)];
  const directory = join(dirname(old.dataDir), '..', 'm4');
  const dataDir = join(directory, 'etcd');
  const service = join(directory, 'etcd-service');
  await mkdir(directory, { recursive: true });
  const renamed = text
    .replaceAll(old.dataDir, dataDir)
    .replaceAll(`:${clientPort}`, `:${ports[0]}`)
    .replaceAll(`:${peerPort}`, `:${ports[1]}`)
    .replaceAll('--name=m3', '--name=m4')
    .replaceAll(/^(record|log)='?(.*?)'?$/gm, (_, name: string) => `${name}='${join(directory, name)}'`);
  await writeFile(service, renamed);
  await chmod(service, 0o700);
  return {
    dataDir,
    service,
    clientUrl: `https://${hostname}:${ports[0]}`,
    peerUrl: `https://${hostname}:${ports[1]}`,
  };
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await once(server.listen(0, host), 'listening');
  const address = server.address();
  await promisify(server.close.bind(server))();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function credentials() {
  const { ca, cert, key } = world.playground.etcdTls;
  const [rootCertificate, certChain, privateKey] = await Promise.all([ca, cert, key].map((file) => readFile(file)));
  assert.ok(rootCertificate && certChain && privateKey);
  return { rootCertificate, certChain, privateKey };
}
