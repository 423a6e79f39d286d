import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
import { describeError, renderError, UsageError } from '../../../cli/output.ts';
import { SalvorOperationError, toOperationError } from '../../../client/errors.ts';
import { FAILURES, isFailureType, SalvorError } from '../../../domain/errors.ts';

const place = { address: 'temporal.example:7233', namespace: 'ops' };
const NON_RETRYABLE = 'NON_RETRYABLE_FAILURE';

function failed(cause: Error): SalvorOperationError {
  return toOperationError(
    new WorkflowFailedError('Workflow execution failed', cause, NON_RETRYABLE),
    place,
    'backup/prod/1',
  );
}

function wrapped(type: string, message: string): ApplicationFailure {
  const cause = ApplicationFailure.nonRetryable(message, type);
  return ApplicationFailure.create({ message: 'Activity task failed', cause });
}

describe('a failed operation', () => {
  for (const [what, cause, type, message, exit] of [
    ['inside an activity', wrapped('StoreMissing', 'no bucket'), 'StoreMissing', 'no bucket', 1],
    ['before anything was started', wrapped('UnknownCluster', 'no "x"'), 'UnknownCluster', 'no "x"', 2],
    ['by something that is not of the list', wrapped('TypeError', 'oops'), 'OperationFailed', 'oops', 1],
    [
      'by a person who cancelled it',
      new CancelledFailure('stop'),
      'OperationCancelled',
      'the operation was cancelled',
      1,
    ],
    [
      'by a person who terminated it',
      new TerminatedFailure('enough'),
      'OperationTerminated',
      'the operation was terminated: enough',
      1,
    ],
  ] as const) {
    it(`${what} has the innermost known type, its message and its exit status`, () => {
      const error = failed(cause);
      assert.deepEqual([error.type, error.message, error.exitCode], [type, message, exit]);
      assert.equal(error.workflowId, 'backup/prod/1');
      assert.ok(error.act.length > 0);
    });
  }
});

describe('an error on the command line', () => {
  it('is of a stable form for programs, whatever was thrown', () => {
    for (const [thrown, type, exit] of [
      [new UsageError('x'), 'InvalidInput', 2],
      [new SalvorError('InvalidConfiguration', 'x'), 'InvalidConfiguration', 2],
      [new SalvorOperationError('TemporalUnreachable', 'x'), 'TemporalUnreachable', 1],
      [new SalvorOperationError('ClusterBusy', 'x'), 'ClusterBusy', 1],
      [new TypeError('x'), 'Unexpected', 1],
    ] as const) {
      const { error, exit: status } = describeError(thrown);
      assert.deepEqual([error.type, error.message, status], [type, 'x', exit]);
      assert.ok(error.act.length > 0);
    }
  });

  it('keeps its lines, and loses what could move the cursor', () => {
    const look = { color: false, now: new Date(0), timeZone: 'UTC', columns: 80 };
    assert.equal(
      renderError({ type: 'BackupCorrupt', message: 'a\n  b\u001b[2J', act: 'look', workflowId: 'w' }, look),
      '✖ BackupCorrupt: a\n  b\n  → look\n  its steps: salvor show w',
    );
  });
});

describe('the closed list', () => {
  it('has every type by its own name only', () => {
    assert.ok(Object.keys(FAILURES).every((type) => isFailureType(type)));
    for (const type of ['toString', 'constructor', '', undefined, null, 1]) assert.ok(!isFailureType(type));
  });
});
