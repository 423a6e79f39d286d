import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSkipped } from '../../../domain/operations/common.ts';
import {
  isOperation,
  LOOKING_OPERATIONS,
  OPERATIONS,
  rowOf,
  SCHEDULED_OPERATIONS,
} from '../../../domain/operations/index.ts';

describe('the rows of the operations', () => {
  it('say which may have a schedule, and which are left out of lists', () => {
    assert.deepEqual(SCHEDULED_OPERATIONS, ['backup', 'prune', 'verify']);
    assert.deepEqual(LOOKING_OPERATIONS, ['listBackups', 'listMembers', 'checkCluster']);
  });

  it('tell an operation from a name that every object has', () => {
    assert.ok(isOperation('restore'));
    for (const name of ['holdCluster', 'toString', 'constructor', '']) assert.ok(!isOperation(name), name);
  });

  it('have the steps that the parts of an operation announce, each once', () => {
    for (const [name, { steps }] of Object.entries(OPERATIONS)) {
      assert.equal(new Set(steps).size, steps.length, name);
    }
    assert.ok(OPERATIONS.restore.steps.includes('Roll back: stop etcd'));
    assert.ok(OPERATIONS.replaceMember.steps.includes('Join the node with kubeadm'));
    assert.equal(OPERATIONS.planRestore.steps.at(-1), 'Draw the plan');
  });

  it('say how an operation ended, for its metrics', () => {
    const { endOf: endOfBackup } = rowOf('backup');
    const backup = {
      backup: '20261123-060000',
      cluster: 'prod',
      node: 'm1',
      takenAt: '2026-11-23T06:00:00.000Z',
      revision: '1',
      totalKeys: 1,
      artifacts: [],
      durationMs: 1,
    };
    assert.equal(endOfBackup({ ...backup, state: 'complete' }), 'done');
    assert.equal(endOfBackup({ ...backup, state: 'degraded' }), 'degraded');
    assert.equal(rowOf('pin').endOf({ cluster: 'prod', backup: backup.backup, pinned: true, stores: [] }), 'done');
  });

  it('know a run that was skipped from a report', () => {
    assert.ok(isSkipped({ cluster: 'prod', state: 'skipped', reason: 'prod is held' }));
    for (const report of [{ state: 'complete' }, { outcome: 'skipped' }, null, 'skipped']) {
      assert.ok(!isSkipped(report), JSON.stringify(report));
    }
  });
});
