import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLineView } from '../../../cli/views.ts';
import type { Look } from '../../../cli/render/format.ts';
import { renderProgress, renderSteps } from '../../../cli/render/steps.ts';
import type { Progress } from '../../../domain/operations/progress.ts';
import type { StepRecord } from '../../../domain/operations/steps.ts';

const look: Look = { color: false, now: new Date('2026-11-23T06:03:05Z'), timeZone: 'UTC', columns: 80 };

function step(fields: Partial<StepRecord> & Pick<StepRecord, 'name'>): StepRecord {
  return { node: null, state: 'done', startedAt: null, durationMs: null, evidence: null, ...fields };
}

function progress(steps: StepRecord[]): Progress {
  return {
    operation: 'restore',
    cluster: 'prod',
    startedAt: '2026-11-23T06:00:00Z',
    doing: '',
    waitingFor: null,
    steps,
  };
}

describe('the steps of an operation', () => {
  it('are one line each, with the nodes side by side and the slowest time', () => {
    const steps = [
      step({ name: 'Find the backup', durationMs: 200, evidence: 'in local' }),
      step({ name: 'Stop etcd', node: 'm1', durationMs: 1_000, evidence: 'stopped' }),
      step({ name: 'Stop etcd', node: 'm2', durationMs: 12_000, evidence: 'stopped already' }),
      step({ name: 'Start etcd', node: 'm1', durationMs: 100 }),
      step({ name: 'Start etcd', node: 'm2', state: 'waiting' }),
      step({ name: 'Check the members', state: 'waiting' }),
    ];
    assert.equal(
      renderProgress('Restore prod', progress(steps), look),
      `Restore prod  3 min 05 s
✔ Find the backup                   0.2 s  in local
✔ Stop etcd          m1✔ m2✔         12 s
▶ Start etcd         m1✔ m2·        0.1 s
· Check the members`,
    );
  });

  it('show a failure in full, whatever the width, on the node where it was', () => {
    const evidence = `exit code 1: ${'x'.repeat(200)}`;
    const steps = [
      step({ name: 'Start etcd', node: 'm1' }),
      step({ name: 'Start etcd', node: 'm2', state: 'failed', durationMs: 500, evidence }),
    ];
    assert.equal(renderSteps(steps, look), `✖ Start etcd  m1✔ m2✖        0.5 s\n    m2: ${evidence}`);
  });

  it('cut what was seen to the width of the terminal', () => {
    const [line = ''] = renderSteps([step({ name: 'Find the backup', evidence: 'y'.repeat(200) })], look).split('\n');
    assert.ok(line.length <= look.columns, line);
    assert.match(line, /y…$/);
  });

  it('keep a step that is done again on a node as a line of its own', () => {
    const again = [
      step({ name: 'Start etcd', node: 'm1', state: 'failed', evidence: 'no' }),
      step({ name: 'Start etcd', node: 'm1' }),
    ];
    assert.equal(renderSteps(again, look).split('\n').length, 3);
  });
});

describe('progress without a terminal', () => {
  it('is one line for each step that begins or ends, and none twice, wherever new steps come in', () => {
    const lines: string[] = [];
    const view = createLineView(
      'Restore prod',
      (line) => lines.push(line),
      () => look,
    );
    const running = step({ name: 'Stop etcd', node: 'm1', state: 'running' });
    const last = step({ name: 'Check the members', state: 'waiting' });
    view.update(progress([running, last]));
    view.update(progress([running, last]));
    const failed = step({ ...running, state: 'failed', durationMs: 900, evidence: 'it\nhangs' });
    view.update(progress([failed, last]));
    view.update(progress([failed, step({ name: 'Stop etcd', node: 'm1' }), last]));
    view.note('No worker');
    assert.deepEqual(lines, [
      'Restore prod',
      '06:03:05Z ▶ Stop etcd (m1)',
      '06:03:05Z ✖ Stop etcd (m1) in 0.9 s: it hangs',
      '06:03:05Z ✔ Stop etcd (m1)',
      '! No worker',
    ]);
  });
});
