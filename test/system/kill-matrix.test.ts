/** A sample of the kill matrix on three etcd members; all of it is in test/chaos, and that of whole control planes in test/e2e. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PLAYGROUND_TARGETS, playgroundArena, type PlaygroundTarget } from '../support/matrix/playground-arena.ts';
import { everyCell, pointsOf, sampleOf } from '../support/matrix/points.ts';
import { type Arena, baseline, runCell } from '../support/matrix/run-matrix.ts';
import { startWorld, type World } from '../support/world.ts';

const CELLS = 7;

let world: World;
let arena: Arena<PlaygroundTarget>;
before(async () => {
  world = await startWorld({ kubernetes: false });
  arena = await playgroundArena(world);
});
after(async () => await world.down());

test('whatever is killed at whatever point, a restore ends restored, rolled back or untouched', async (context) => {
  const cells = everyCell(pointsOf(await baseline(arena)), PLAYGROUND_TARGETS);
  for (const cell of sampleOf(cells, CELLS)) {
    const { point, target, outcome, note, seconds } = await runCell(arena, cell);
    const what = `${target} killed ${point.phase} ${point.activity} ${point.place ?? ''}`;
    context.diagnostic(`${what}: ${outcome ?? 'in between'} after ${seconds} s ${note}`);
    assert.ok(outcome !== undefined, `${what}: ${note}`);
  }
});
