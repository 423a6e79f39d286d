/**
 * What a worker loads before it is asked for anything: its memory, and how soon it takes over from one that was killed.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const WORKER = new URL('../../workers/worker.ts', import.meta.url).href;
const LOADED = `
  import { registerHooks } from 'node:module';
  const packages = new Set();
  registerHooks({
    load(url, context, next) {
      const [, name] = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
      if (name) packages.add(name);
      return next(url, context);
    },
  });
  await import(${JSON.stringify(WORKER)});
  console.log(JSON.stringify([...packages]));
`;

test('a worker that has not asked a cluster has not loaded the Kubernetes client', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', LOADED]);
  const packages = JSON.parse(stdout) as string[];
  assert.ok(packages.includes('@temporalio/worker'), 'the packages are seen');
  assert.ok(!packages.includes('@kubernetes/client-node'));
});
