/** What `make test` begins when. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Job, runPool } from '../runner/pool.ts';
import { LONGEST } from '../runner/suites.ts';

const ROOT = join(import.meta.dirname, '../..');
const READY = Promise.resolve();

/** Jobs that end when they are told to, and what began so far. */
function open(jobs: { name: string; cores: number; ready?: Promise<unknown> }[]) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const made = jobs.map(({ name, cores, ready = READY }): Job => {
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.set(name, resolve);
    return {
      cores,
      ready,
      async run() {
        begun.push(name);
        await promise;
      },
    };
  });
  return {
    jobs: made,
    begun,
    end: async (name: string) => {
      ends.get(name)?.();
      await settle();
    },
  };
}

/** Lets everything happen that waits for nothing else. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('jobs that share the cores', () => {
  it('begin in their order, as many as there is room for', async () => {
    const { jobs, begun, end } = open([
      { name: 'a', cores: 1 },
      { name: 'b', cores: 0.5 },
      { name: 'c', cores: 1 },
      { name: 'd', cores: 0.5 },
    ]);
    const done = runPool(jobs, 2);
    await settle();
    assert.deepEqual(begun, ['a', 'b'], 'd would fit, but c comes first');
    await end('b');
    assert.deepEqual(begun, ['a', 'b', 'c']);
    await end('a');
    assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
    await end('c');
    await end('d');
    await done;
  });

  it('are passed over while they are not ready', async () => {
    const built = Promise.withResolvers<void>();
    const { jobs, begun, end } = open([
      { name: 'needs a build', cores: 1, ready: built.promise },
      { name: 'needs none', cores: 1 },
    ]);
    const done = runPool(jobs, 1);
    await settle();
    assert.deepEqual(begun, ['needs none']);
    await end('needs none');
    assert.deepEqual(begun, ['needs none']);
    built.resolve();
    await settle();
    assert.deepEqual(begun, ['needs none', 'needs a build']);
    await end('needs a build');
    await done;
  });

  it('run alone when they ask for it', async () => {
    const { jobs, begun, end } = open([
      { name: 'first', cores: 1 },
      { name: 'alone', cores: Infinity },
      { name: 'last', cores: 0.1 },
    ]);
    const done = runPool(jobs, 8);
    await settle();
    assert.deepEqual(begun, ['first']);
    await end('first');
    assert.deepEqual(begun, ['first', 'alone']);
    await end('alone');
    assert.deepEqual(begun, ['first', 'alone', 'last']);
    await end('last');
    await done;
  });

  it('end with the first failure, after those that run', async () => {
    const begun: string[] = [];
    const job = (name: string, run: () => Promise<void>): Job => ({
      cores: 1,
      ready: READY,
      async run() {
        begun.push(name);
        await run();
      },
    });
    const slow = Promise.withResolvers<void>();
    const done = runPool(
      [
        job('slow', () => slow.promise),
        job('fails', async () => await Promise.reject(new Error('no'))),
        job('never', async () => {}),
      ],
      2,
    );
    const ended: string[] = [];
    const watched = done.catch((error: unknown) => ended.push(String(error)));
    await settle();
    assert.deepEqual(ended, []);
    slow.resolve();
    await watched;
    assert.deepEqual(ended, ['Error: no']);
    assert.deepEqual(begun, ['slow', 'fails']);
  });
});

it('the files that begin first are there', () => {
  for (const file of LONGEST) assert.ok(existsSync(join(ROOT, file)), file);
});
