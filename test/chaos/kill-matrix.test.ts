/**
 * The kill matrix on three etcd members. With SALVOR_MATRIX=all (`npm run chaos`) it is every target at every point, which takes half an hour and keeps its table;
 * else a larger sample than that of test/system.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PLAYGROUND_TARGETS, playgroundArena, type PlaygroundTarget } from '../support/matrix/playground-arena.ts';
import { environmentVariable } from '../../tools/environment.ts';
import { everyCell, pointsOf, sampleOf } from '../support/matrix/points.ts';
import { keepMatrix } from '../support/matrix/report.ts';
import { type Arena, baseline, type CellResult, runCell } from '../support/matrix/run-matrix.ts';
import { startWorld, type World } from '../support/world.ts';

const SAMPLE = 20;
const isWhole = environmentVariable('SALVOR_MATRIX') === 'all';
const REPORT = new URL('../../docs/reports/kill-matrix-etcd.md', import.meta.url);

let world: World;
let arena: Arena<PlaygroundTarget>;
before(async () => {
  world = await startWorld({ kubernetes: false });
  arena = await playgroundArena(world);
});
after(async () => await world.down());

test('whatever is killed at every point, a restore ends restored, rolled back or untouched', async (context) => {
  const all = everyCell(pointsOf(await baseline(arena)), PLAYGROUND_TARGETS);
  const cells = isWhole ? all : sampleOf(all, SAMPLE);
  const results: CellResult<PlaygroundTarget>[] = [];
  for (const cell of cells) {
    const result = await runCell(arena, cell);
    const { point, target, outcome, note, seconds } = result;
    results.push(result);
    const line = `${results.length}/${cells.length} ${target} ${point.phase} ${point.activity} ${point.place ?? ''}: ${outcome ?? 'IN BETWEEN'} ${seconds} s ${note}`;
    context.diagnostic(line);
    process.stderr.write(`${line}\n`);
    if (!isWhole) continue;
    await keepMatrix(REPORT, {
      title: 'The kill matrix on three etcd members',
      method:
        'One restore for each cell, with `onFailure: rollback`, of three real etcd members under service scripts that nothing starts again by itself. ' +
        'Killed with SIGKILL: the worker (another one takes its place), the Temporal dev server (started again on its file), a member (left dead). ' +
        'A workflow is terminated, and another one takes over with `--resume`. After each, every member is compared key by key with the backup or with the state before.',
      targets: PLAYGROUND_TARGETS,
      results,
    });
  }
  assert.deepEqual(
    results.filter(({ outcome }) => outcome === undefined).map(({ point, target, note }) => ({ point, target, note })),
    [],
  );
});
