/**
 * The kill matrix on three etcd members. With SALVOR_MATRIX=all (`npm run chaos`) it is every target at every point,
 * which takes more than half an hour, or as many cells as it says, and keeps its table; else a larger sample than that
 * of test/system.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PLAYGROUND_TARGETS, playgroundArena } from '../support/matrix/playground-arena.ts';
import { runMatrix, wished } from '../support/matrix/whole-matrix.ts';
import { startWorld, type World } from '../support/world.ts';

const SAMPLE = 20;
const REPORT = {
  name: 'kill-matrix-etcd',
  title: 'The kill matrix on three etcd members',
  method:
    'Each cell is one restore of three real etcd members, with `onFailure: rollback`. The members run under service scripts, and nothing restarts them automatically. ' +
    'These are killed with SIGKILL: the worker (a new worker takes its place), the Temporal dev server (it is restarted with its file), a member (it stays dead). ' +
    'A workflow is terminated, and a new one takes over with `--resume`. A step fails in a way that no retry can fix, before it has done anything or after it has done everything. ' +
    'After each restore, every member is compared key by key with the backup or with the state before.',
};

/** Of a cell's time most is waiting: three share two cores. */
const ARENAS = 3;
const worlds: World[] = [];
after(async () => await Promise.all(worlds.map(async (world) => await world.down())));

async function newArena() {
  const world = await startWorld({ kubernetes: false });
  worlds.push(world);
  return await playgroundArena(world);
}

test('whatever is killed at every point, a restore ends restored, rolled back or untouched', async () => {
  const [first, ...others] = await Promise.all(Array.from({ length: ARENAS }, newArena));
  assert.ok(first);
  await runMatrix([first, ...others], wished({ targets: PLAYGROUND_TARGETS, sample: SAMPLE, report: REPORT }));
});
