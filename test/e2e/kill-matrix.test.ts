/**
 * The kill matrix on three kubeadm nodes over SSH. A sample of it runs with the other end-to-end tests; SALVOR_MATRIX=all (or a number of cells) runs
 * more, which takes about a minute for each cell. It keeps its table.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { environmentVariable } from '../../tools/environment.ts';
import { labMissing } from '../lab/lab.ts';
import { LAB_TARGETS, labArena, type LabTarget } from '../support/matrix/lab-arena.ts';
import { everyCell, pointsOf, sampleOf } from '../support/matrix/points.ts';
import { keepMatrix } from '../support/matrix/report.ts';
import { type Arena, baseline, type CellResult, runCell } from '../support/matrix/run-matrix.ts';
import { type LabWorld, startLabWorld } from '../support/lab-world.ts';

const REPORT = new URL('../../docs/reports/kill-matrix-kubeadm.md', import.meta.url);
const SAMPLE = 6;
const wish = environmentVariable('SALVOR_MATRIX');
const skip = (await labMissing()).join('; ') || false;

describe('the kill matrix of a kubeadm cluster', { skip }, () => {
  let world: LabWorld;
  let arena: Arena<LabTarget>;
  before(async () => {
    world = await startLabWorld();
    arena = await labArena(world);
  });
  after(async () => await world.down());

  test('whatever is killed at whatever point, a restore ends restored, rolled back or untouched', async (context) => {
    const all = everyCell(pointsOf(await baseline(arena)), LAB_TARGETS);
    const cells = wish === 'all' ? all : sampleOf(all, wish === undefined ? SAMPLE : Number(wish));
    const results: CellResult<LabTarget>[] = [];
    for (const cell of cells) {
      const result = await runCell(arena, cell);
      const { point, target, outcome, note, seconds } = result;
      results.push(result);
      const line = `${results.length}/${cells.length} ${target} ${point.phase} ${point.activity} ${point.place ?? ''}: ${outcome ?? 'IN BETWEEN'} ${seconds} s ${note}`;
      context.diagnostic(line);
      process.stderr.write(`${line}\n`);
      if (wish === undefined) continue;
      await keepMatrix(REPORT, {
        title: 'The kill matrix on three kubeadm nodes',
        method:
          `One restore for each cell, with \`onFailure: rollback\`, over SSH on three real control planes (static pods under a kubelet): ${cells.length} of ${all.length} cells, spread evenly. ` +
          "Killed with SIGKILL: the worker (another one takes its place), the Temporal server (started again on its file), every SSH session on the step's node, its kubelet, its etcd. " +
          'A workflow is terminated, and another one takes over with `--resume`. After each, every kube-apiserver is asked for the objects, which must be those of the backup or those of before, and every member for the same keys.',
        targets: LAB_TARGETS,
        results,
      });
    }
    assert.deepEqual(
      results
        .filter(({ outcome }) => outcome === undefined)
        .map(({ point, target, note }) => ({ point, target, note })),
      [],
    );
  });
});
