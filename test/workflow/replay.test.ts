import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { HISTORIES, quietRuntime, testBundle } from '../support/temporal.ts';

quietRuntime();
const files = readdirSync(HISTORIES).filter((file) => file.endsWith('.json'));

test('there is a history of every operation', () => {
  for (const operation of ['backup', 'heal', 'pin', 'prune', 'replaceMember', 'restore', 'verify']) {
    assert.ok(
      files.some((file) => file.startsWith(operation)),
      `no history of ${operation}`,
    );
  }
});

for (const file of files) {
  test(`${file} replays as it was recorded`, async () => {
    const history = historyFromJSON(JSON.parse(readFileSync(new URL(file, HISTORIES), 'utf8')));
    await Worker.runReplayHistory({ workflowBundle: await testBundle() }, history, `replay/${file}`);
  });
}
