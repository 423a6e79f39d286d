import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import { etcdctl, killPart, killWorker, type Playground, restartWorker } from '../../playground/handle.ts';
import { playgroundDown, playgroundStatus, playgroundUp } from '../../playground/playground.ts';
import { identityOf } from '../../playground/processes.ts';
import { findTool } from '../../adapters/binaries/binaries.ts';

const run = promisify(execFile);
const parents: string[] = [];
let directory = '';

beforeEach(async () => {
  const parent = await mkdtemp(join(tmpdir(), 'salvor-playground-'));
  parents.push(parent);
  directory = join(parent, 'world');
});

afterEach(() => playgroundDown(directory));

after(async () => {
  for (const parent of parents) await rm(parent, { recursive: true });
});

const up = (): Promise<Playground> => playgroundUp({ directory, kubernetes: false, worker: false });

async function pids(): Promise<Record<string, number | undefined>> {
  const { parts } = await playgroundStatus(directory);
  return Object.fromEntries(parts.filter(({ running }) => running).map(({ name, pid }) => [name, pid]));
}

const exitStatus = async (file: string, action: string): Promise<number> => {
  const child = spawn(file, [action], { stdio: 'ignore' });
  const [status] = (await once(child, 'close')) as [number];
  return status;
};

test('up brings every part up, a second up leaves them alone, and down leaves nothing behind', async () => {
  const playground = await up();
  const first = await pids();
  assert.deepEqual(Object.keys(first), ['etcd-m1', 'etcd-m2', 'etcd-m3', 'temporal', 's3']);
  for (const { name } of playground.nodes) await etcdctl(playground, name, ['put', `from-${name}`, 'x']);
  for (const { name } of playground.nodes) {
    assert.equal(
      await etcdctl(playground, name, ['get', 'from-', '--prefix', '--keys-only']),
      'from-m1\n\nfrom-m2\n\nfrom-m3\n\n',
    );
  }
  await up();
  assert.deepEqual(await pids(), first);

  await playgroundDown(directory);
  for (const pid of Object.values(first)) assert.equal(await identityOf(pid ?? 0), undefined);
  await assert.rejects(stat(directory), { code: 'ENOENT' });
  assert.deepEqual((await playgroundStatus(directory)).parts, []);
  await playgroundDown(directory);
});

test('a part that was killed is brought back on its old port, and the others are left alone', async () => {
  const playground = await up();
  const first = await pids();
  for (const name of ['etcd-m2', 's3']) await killPart(playground, name, 'SIGKILL');
  assert.equal((await playground.part('etcd-m2')).running, false);
  const again = await up();
  assert.deepEqual({ ...again, part: undefined }, { ...playground, part: undefined });
  const second = await pids();
  assert.notEqual(second['etcd-m2'], first['etcd-m2']);
  assert.notEqual(second['s3'], first['s3']);
  for (const name of ['etcd-m1', 'etcd-m3', 'temporal']) assert.equal(second[name], first[name]);
});

test('a member is stopped, looked at and started by its service, whose data directory can be moved aside', async () => {
  const { nodes } = await up();
  const service = nodes[1]?.etcdService ?? '';
  assert.equal(await exitStatus(service, 'status'), 0);
  assert.equal(await exitStatus(service, 'stop'), 0);
  assert.notEqual(await exitStatus(service, 'status'), 0);
  assert.equal((await pids())['etcd-m2'], undefined);
  const dataDir = nodes[1]?.dataDir ?? '';
  await run('mv', [dataDir, `${dataDir}.aside`]);
  await run('mv', [`${dataDir}.aside`, dataDir]);
  assert.equal(await exitStatus(service, 'start'), 0);
  assert.equal(await exitStatus(service, 'status'), 0);
  await up();
});

test('down spares a process that has the pid of a part but is another', async () => {
  const playground = await up();
  const { record, pid } = await playground.part('s3');
  const recorded = await readFile(record, 'utf8');
  const stranger = spawn('sleep', ['1000']);
  try {
    await once(stranger, 'spawn');
    await writeFile(record, recorded.replace(`${pid} `, `${stranger.pid} `));
    assert.equal((await playground.part('s3')).running, false);
    await playgroundDown(directory);
    assert.ok(await identityOf(stranger.pid ?? 0));
    // The real one, whose record was lost, is found by its mark where the system can tell.
    if (process.platform === 'linux') assert.equal(await identityOf(pid ?? 0), undefined);
  } finally {
    stranger.kill('SIGKILL');
  }
});

test('down without wiping keeps the data for the next up', async () => {
  const playground = await up();
  await etcdctl(playground, 'm1', ['put', 'kept', 'yes']);
  await playgroundDown(directory, { wipe: false });
  assert.deepEqual(await pids(), {});
  assert.equal(await etcdctl(await up(), 'm3', ['get', 'kept', '--print-value-only']), 'yes\n');
});

test('up that is called off half-way is cleared up by down', async () => {
  const controller = new AbortController();
  const lines: string[] = [];
  const coming = playgroundUp({
    directory,
    kubernetes: false,
    worker: false,
    signal: controller.signal,
    onProgress: (line) => {
      lines.push(line);
      controller.abort();
    },
  });
  await assert.rejects(coming, { name: 'AbortError' });
  await playgroundDown(directory);
  await assert.rejects(stat(directory), { code: 'ENOENT' });
});

test('a directory that holds something else is neither used nor removed', async () => {
  await mkdir(directory);
  const file = join(directory, 'thesis.tex');
  await writeFile(file, 'x');
  await assert.rejects(up(), { type: 'UnsafeState' });
  await assert.rejects(playgroundDown(directory), { type: 'UnsafeState' });
  assert.equal(await readFile(file, 'utf8'), 'x');
  await rm(directory, { recursive: true });
});

test('a part that ends at once is reported with the end of its log', async () => {
  const playground = await up();
  await exitStatus(playground.nodes[0]?.etcdService ?? '', 'stop');
  await rm(join(playground.nodes[0]?.dataDir ?? '', 'member', 'wal'), { recursive: true });
  await assert.rejects(up(), {
    type: 'ComponentStuck',
    message: /etcd-m1 ended before it answered; its log .*etcd-m1\.log ends:\n.*/,
  });
});

test('a worker that was killed is replaced by one that takes tasks', async () => {
  const playground = await playgroundUp({ directory, kubernetes: false });
  const { pid: first } = await playground.part('worker');
  assert.ok(first);
  await killWorker(playground);
  assert.equal(await identityOf(first), undefined);
  await restartWorker(playground);
  const { pid: second, log } = await playground.part('worker');
  assert.ok(second && second !== first);
  assert.equal((await readFile(log, 'utf8')).match(/^salvor worker: polling/gm)?.length, 2);
  await playgroundDown(directory);
  assert.equal(await identityOf(second), undefined);
});

const kubeApiServer = await findTool('kube-apiserver');

test(
  'each node has a kube-apiserver of its own, which stops within its grace although a client watches',
  { skip: kubeApiServer === undefined && 'kube-apiserver is not at hand' },
  async () => {
    const playground = await playgroundUp({ directory, kubernetes: true, worker: false });
    const kubectl = (await findTool('kubectl'))?.path ?? 'kubectl';
    for (const { name, kubeconfig = '' } of playground.nodes) {
      await run(kubectl, [`--kubeconfig=${kubeconfig}`, 'create', 'namespace', `from-${name}`]);
    }
    for (const { name } of playground.nodes) {
      const { stdout } = await run(kubectl, [
        `--kubeconfig=${playground.kubeconfig}`,
        `--context=${name}`,
        'get',
        'namespaces',
        '-o',
        'name',
      ]);
      assert.match(stdout, /from-m1\nnamespace\/from-m2\nnamespace\/from-m3/);
    }
    const watch = spawn(kubectl, [
      `--kubeconfig=${playground.nodes[2]?.kubeconfig}`,
      'get',
      'namespaces',
      '--watch',
      '-o',
      'name',
    ]);
    const gone = once(watch, 'close');
    await once(watch.stdout, 'data');
    const startedAt = Date.now();
    assert.equal(await exitStatus(playground.nodes[2]?.apiServerService ?? '', 'stop'), 0);
    assert.ok(Date.now() - startedAt < 15_000, `took ${Date.now() - startedAt} ms`);
    watch.kill();
    await gone;
    await playgroundUp({ directory, kubernetes: false, worker: false });
    assert.deepEqual(Object.keys(await pids()), ['etcd-m1', 'etcd-m2', 'etcd-m3', 'temporal', 's3']);
  },
);
