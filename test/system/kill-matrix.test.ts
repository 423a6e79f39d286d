/**
 * A sample of the kill matrix on three etcd members; all of it is in test/chaos, and that of whole control planes in
 * test/e2e.
 */
import { after, before, test } from 'node:test';
import { PLAYGROUND_TARGETS, playgroundArena } from '../support/matrix/playground-arena.ts';
import { runMatrix } from '../support/matrix/whole-matrix.ts';
import { startWorld, type World } from '../support/world.ts';

const SAMPLE = 3;

let world: World;
before(async () => {
  world = await startWorld({ kubernetes: false });
});
after(async () => await world.down());

test('whatever is killed at whatever point, a restore ends restored, rolled back or untouched', async () => {
  await runMatrix([await playgroundArena(world)], { targets: PLAYGROUND_TARGETS, sample: SAMPLE });
});
