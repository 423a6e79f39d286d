import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { sweepScratch, withScratch } from '../../adapters/scratch/folders.ts';
import { environment } from '../../adapters/environment.ts';
import { until } from '../support/until.ts';

const OWNER_FILE = '.salvor-owner';
const SCRATCH = new URL('../../adapters/scratch/folders.ts', import.meta.url);

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-scratch-'));
});
after(() => rm(root, { recursive: true }));

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  for (const name of await readdir(root)) await rm(join(root, name), { recursive: true });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** A process that works in a scratch folder without end, and has left a child of its own there. */
async function startWork(name: string): Promise<{ worker: ChildProcess; leftover: number }> {
  const text = `
    import { spawn } from 'node:child_process';
    import { writeFile } from 'node:fs/promises';
    import { withScratch } from ${JSON.stringify(SCRATCH.href)};
    await withScratch(${JSON.stringify(name)}, async (directory) => {
      await writeFile(directory + '/snapshot.db', 'much');
      // Its command line names the folder, as those of scratch servers do.
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', directory + '/data'], { detached: true, stdio: 'ignore' });
      process.stdout.write(child.pid + '\\n');
      await new Promise((resolve) => setInterval(resolve, 1 << 30));
    }, ${JSON.stringify(root)});`;
  const worker = spawn(process.execPath, ['--input-type=module', '-e', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment(),
  });
  children.push(worker);
  const [line] = (await once(worker.stdout, 'data')) as [Buffer];
  return { worker, leftover: Number(line.toString()) };
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !stat.includes(') Z ');
}

test('the folder of a killed process is removed, and what it left running there is ended; that of a living one stays', async () => {
  const killed = await startWork('killed');
  const living = await startWork('living');
  assert.equal(await sweepScratch(root), 0, 'both live');
  await kill(killed.worker);
  assert.ok(await isRunning(killed.leftover));
  assert.equal(await sweepScratch(root), 1);
  assert.deepEqual(await readdir(root), ['living']);
  await until('what was left running is gone', async () => !(await isRunning(killed.leftover)));
  assert.ok(await isRunning(living.leftover));
  await kill(living.worker);
  assert.equal(await sweepScratch(root), 1);
  assert.deepEqual(await readdir(root), []);
});

test('a process with the number of the one that was killed is not taken for it', async () => {
  await withScratch(
    'mine',
    async (directory) => {
      const file = join(directory, OWNER_FILE);
      const [place, pid, start] = (await readFile(file, 'utf8')).split('\n');
      await writeFile(file, `${place}\n${pid}\n${Number(start) - 1}\n`);
      assert.equal(await sweepScratch(root), 1);
    },
    root,
  );
});

test('a folder of another container or machine goes only when nobody has refreshed it for long', async () => {
  for (const name of ['fresh', 'stale']) {
    await mkdir(join(root, name));
    await writeFile(join(root, name, OWNER_FILE), 'another place\n1\n1\n');
  }
  await utimes(join(root, 'stale', OWNER_FILE), new Date(), new Date(Date.now() - 3_600_000));
  assert.equal(await sweepScratch(root), 1);
  assert.deepEqual(await readdir(root), ['fresh']);
});

test('what has no owner of Salvor’s is not touched, whatever its age; what a killed sweep has begun to remove goes', async () => {
  await mkdir(join(root, 'somebody-elses'));
  await utimes(join(root, 'somebody-elses'), 1, 1);
  await mkdir(join(root, 'begun.salvor-swept'));
  await writeFile(join(root, 'a-file'), '');
  assert.equal(await sweepScratch(root), 1);
  assert.deepEqual((await readdir(root)).sort(), ['a-file', 'somebody-elses']);
});

test('a worker without any scratch folder has nothing to sweep', async () => {
  assert.equal(await sweepScratch(join(root, 'never-made')), 0);
});
