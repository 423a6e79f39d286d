/**
 * The kill matrix on three kubeadm nodes over SSH. A sample of it runs with the other end-to-end tests;
 * SALVOR_MATRIX=all, or a number of cells, or one target (SSH) runs more, which takes about a minute for each cell, and
 * keeps its table.
 */
import { after, before, describe, test } from 'node:test';
import { labMissing } from '../../playground/lab/lab.ts';
import { type LabWorld, startLabWorld } from '../support/lab-world.ts';
import { LAB_TARGETS, labArena } from '../support/matrix/lab-arena.ts';
import { runMatrix, wished } from '../support/matrix/whole-matrix.ts';

const SAMPLE = 6;
const REPORT = {
  name: 'kill-matrix-kubeadm',
  title: 'The kill matrix on three kubeadm nodes',
  method:
    'Each cell is one restore over SSH on three real control planes (static pods under a kubelet), with `onFailure: rollback`. ' +
    "These are killed with SIGKILL: the worker (a new worker takes its place), the Temporal server (it is restarted with its file), every SSH session on the step's node, its kubelet, its etcd. " +
    'A workflow is terminated, and a new one takes over with `--resume`. A step fails in a way that no retry can fix, before it has done anything or after it has done everything. ' +
    "After each restore, every kube-apiserver is asked for the objects, which must be either the backup's or those from before. Every member must hold the same keys.",
};
const skip = (await labMissing()).join('; ') || false;

describe('the kill matrix of a kubeadm cluster', { skip }, () => {
  let world: LabWorld;
  before(async () => {
    world = await startLabWorld();
  });
  after(async () => await world.down());

  test('whatever is killed at whatever point, a restore ends restored, rolled back or untouched', async () => {
    await runMatrix([await labArena(world)], wished({ targets: LAB_TARGETS, sample: SAMPLE, report: REPORT }));
  });
});
