import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { endRecorded, endStrays, identityOf, runningPid, signalProcess } from '../../../playground/processes.ts';
import { type ServiceOptions, writeService } from '../../../playground/service.ts';

let directory = '';
let count = 0;

before(async () => {
  // A quote and a space: what a user's home directory may hold.
  directory = await mkdtemp(join(tmpdir(), "salvor service's "));
});

after(async () => {
  await endStrays(directory, 0);
  await rm(directory, { recursive: true });
});

async function newService(
  options: Partial<ServiceOptions> = {},
): Promise<{ file: string; record: string; log: string }> {
  const file = join(directory, `service-${++count}`);
  const [record, log] = [`${file}.pid`, `${file}.log`];
  const argv: [string, ...string[]] = ['/bin/sleep', '1000'];
  await writeService(file, { name: 'sleeper', directory, argv, record, log, graceSeconds: 5, ...options });
  return { file, record, log };
}

async function run(file: string, ...args: string[]): Promise<{ status: number; stderr: string }> {
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number];
  return { status, stderr };
}

test('a service starts, says that it runs, and stops; each of them twice changes nothing', async () => {
  const { file, record } = await newService();
  assert.equal((await run(file, 'status')).status, 1);
  assert.equal((await run(file, 'stop')).status, 0);
  assert.equal((await run(file, 'start')).status, 0);
  const pid = await runningPid(record);
  assert.ok(pid);
  assert.equal((await run(file, 'status')).status, 0);
  assert.equal((await run(file, 'start')).status, 0);
  assert.equal(await runningPid(record), pid);
  assert.equal((await run(file, 'stop')).status, 0);
  assert.equal(await identityOf(pid), undefined);
  assert.equal((await run(file, 'status')).status, 1);
});

test('ten starts at once start one process', async () => {
  const { file, record, log } = await newService({ argv: ['/bin/sh', '-c', 'echo started; exec sleep 1000'] });
  const results = await Promise.all(Array.from({ length: 10 }, () => run(file, 'start')));
  assert.deepEqual(
    results.map(({ status }) => status),
    Array(10).fill(0),
  );
  assert.ok(await runningPid(record));
  await run(file, 'stop');
  assert.equal(await readFile(log, 'utf8'), 'started\n');
});

test('a process that was killed is seen, and started again', async () => {
  const { file, record } = await newService();
  await run(file, 'start');
  const killed = await runningPid(record);
  assert.ok(killed);
  signalProcess(killed, 'SIGKILL');
  while (await identityOf(killed)) assert.ok(true);
  assert.equal((await run(file, 'status')).status, 1);
  assert.equal((await run(file, 'start')).status, 0);
  assert.notEqual(await runningPid(record), killed);
  await run(file, 'stop');
});

test('a process with the recorded pid but another start time is not the service, and is not ended', async () => {
  const { file, record } = await newService();
  const stranger = spawn('/bin/sleep', ['1000']);
  try {
    await once(stranger, 'spawn');
    await writeFile(record, `${stranger.pid} 1@11111111-2222-3333-4444-555555555555\n`);
    assert.equal((await run(file, 'status')).status, 1);
    assert.equal((await run(file, 'stop')).status, 0);
    await endRecorded(record, 0);
    assert.equal(stranger.exitCode, null);
    assert.equal(stranger.signalCode, null);
  } finally {
    stranger.kill('SIGKILL');
  }
});

test('a record that was cut off counts as no process', async () => {
  const { file, record } = await newService();
  for (const text of ['', '\n', '1', '0 0\n', '-1 x\n', `${process.pid}\n`, `${process.pid} \n`]) {
    await writeFile(record, text);
    assert.equal(await runningPid(record), undefined, JSON.stringify(text));
    assert.equal((await run(file, 'status')).status, 1, JSON.stringify(text));
  }
});

test('a process that ignores SIGTERM is killed after the grace', async () => {
  const argv: [string, ...string[]] = ['/bin/sh', '-c', "trap '' TERM; echo deaf; while :; do sleep 0.05; done"];
  const { file, record, log } = await newService({ argv, graceSeconds: 1 });
  await run(file, 'start');
  while ((await readFile(log, 'utf8')) === '') assert.ok(await runningPid(record));
  const { status, stderr } = await run(file, 'stop');
  assert.equal(status, 0);
  assert.match(stderr, /did not stop within 1 s and will be killed/);
  assert.equal(await runningPid(record), undefined);
});

test('variables reach the process, those from files as well, and only their names stand in the script', async () => {
  const secret = join(directory, 'secret');
  await writeFile(secret, 'a$b`c\n');
  const { file, log, record } = await newService({
    argv: ['/bin/sh', '-c', 'echo "$PLAIN|$SECRET"; exec sleep 1000'],
    env: { PLAIN: "it's" },
    envFiles: { SECRET: secret },
  });
  await run(file, 'start');
  while ((await readFile(log, 'utf8')) === '') assert.ok(await runningPid(record));
  assert.equal(await readFile(log, 'utf8'), "it's|a$b`c\n");
  assert.doesNotMatch(await readFile(file, 'utf8'), /a\$b/);
  await run(file, 'stop');
});

test('a program that is not there is a failure that names it', async () => {
  const { file } = await newService({ argv: ['/nowhere/etcd'] });
  const { status, stderr } = await run(file, 'start');
  assert.equal(status, 1);
  assert.match(stderr, /\/nowhere\/etcd does not exist/);
});

test('an unknown action is bad usage', async () => {
  const { file } = await newService();
  assert.equal((await run(file, 'restart')).status, 2);
  assert.equal((await run(file)).status, 2);
});

test(
  'what a service started itself is found and ended by its mark',
  { skip: process.platform !== 'linux' },
  async () => {
    const { file, record, log } = await newService({ argv: ['/bin/sh', '-c', 'setsid sleep 1000 & echo $!; wait'] });
    await run(file, 'start');
    while (!(await readFile(log, 'utf8')).includes('\n')) assert.ok(await runningPid(record));
    const child = Number(await readFile(log, 'utf8'));
    await run(file, 'stop');
    assert.ok(await identityOf(child));
    await endStrays(directory, 1_000);
    assert.equal(await identityOf(child), undefined);
  },
);
