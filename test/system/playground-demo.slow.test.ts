import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { playgroundDown, playgroundStatus } from '../../playground/playground.ts';

let parent = '';
let directory = '';

before(async () => {
  parent = await mkdtemp(join(tmpdir(), 'salvor-demo-'));
  directory = join(parent, 'world');
});

after(async () => {
  await playgroundDown(directory);
  await rm(parent, { recursive: true });
});

async function demo(): Promise<string> {
  const file = fileURLToPath(new URL('../../playground/demo.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    file,
    '--directory',
    directory,
    '--kubernetes',
    'no',
  ]);
  return stdout;
}

test('the demo brings every object back although the worker is killed in the middle', async () => {
  const said = await demo();
  assert.match(said, /complete: revision \d+, \d+ keys/);
  assert.match(said, />>> the worker \(process \d+\) is killed with SIGKILL, while etcd is stopped on every node/);
  assert.match(said, /restored; the API was away for/);
  assert.match(said, /Done: 300 of 300 objects are back, on all of 3 nodes/);
  const link = /http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/restore%2F\S+/.exec(said)?.[0] ?? '';
  const [origin, id] = [new URL(link).origin, link.split('/').at(-1)];
  const answer = await fetch(`${origin}/api/v1/namespaces/default/workflows/${id}`);
  assert.equal(answer.status, 200, 'the link leads to the operation');
  const { parts } = await playgroundStatus(directory);
  assert.ok(parts.every(({ running }) => running));
});

test('a demo after one that was ended in its disaster begins anew', async () => {
  await writeFile(join(directory, 'demo-unfinished'), '');
  await rm(join(directory, 'nodes', 'm1', 'etcd'), { recursive: true });
  const said = await demo();
  assert.match(said, /its playground will be replaced/);
  assert.match(said, /Done: 300 of 300 objects are back/);
  await assert.rejects(stat(join(directory, 'demo-unfinished')), { code: 'ENOENT' });
});
