import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { OPERATIONS } from '../../domain/operations/index.ts';
import { HISTORIES, quietRuntime, testBundle } from '../support/temporal.ts';

quietRuntime();
const files = readdirSync(HISTORIES).filter((file) => file.endsWith('.json'));

test('there is a history of every operation', () => {
  for (const operation of Object.keys(OPERATIONS)) {
    assert.ok(
      files.some((file) => file.startsWith(`${operation}-`)),
      `no history of ${operation}`,
    );
  }
});

const problems = new Map<string, Error | undefined>();

// One worker for all of them.
before(async () => {
  const histories = files.map((file) => ({
    workflowId: file,
    history: historyFromJSON(JSON.parse(readFileSync(new URL(file, HISTORIES), 'utf8'))),
  }));
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: await testBundle() },
    histories,
  )) {
    problems.set(workflowId, error);
  }
});

for (const file of files) {
  test(`${file} replays as it was recorded`, () => {
    assert.ok(problems.has(file), 'it was not replayed');
    assert.ifError(problems.get(file));
  });
}
