import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { execa } from 'execa';
import { startTemporal } from '../support/temporal.ts';

const SALVOR = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const DEADLINE_MS = 60_000;

let temporal: TestWorkflowEnvironment;
let folder: string;

before(async () => {
  temporal = await startTemporal();
  folder = await mkdtemp(join(tmpdir(), 'salvor-schedules-'));
});

after(async () => {
  await temporal.teardown();
  await rm(folder, { recursive: true });
});

async function configure(schedules: string): Promise<string> {
  const path = join(folder, 'salvor.yaml');
  const text = `
stores: { local: { type: filesystem, path: /data } }
clusters:
  prod:
    flavour: kubeadm
    stores: [local]
    schedules: ${schedules}
    nodes: [{ name: m1, address: 10.0.0.1 }]
`;
  await writeFile(path, text);
  return path;
}

async function salvor(...args: string[]): Promise<{ exit: number | undefined; stdout: string; json: unknown }> {
  const { exitCode, stdout } = await execa(
    process.execPath,
    [SALVOR, 'schedules', ...args, '--address', temporal.address],
    { reject: false },
  );
  return { exit: exitCode, stdout, json: args.includes('json') ? JSON.parse(stdout) : undefined };
}

suite('salvor schedules', () => {
  test('apply, list, pause, resume and trigger do what the library does, and a dry run does nothing', async () => {
    const config = await configure('{ backup: { every: 6h }, prune: { cron: "0 3 * * *" } }');
    const applied = (outcome: string) => ({
      dryRun: false,
      changes: [
        { scheduleId: 'salvor/prod/backup', outcome, detail: 'every 6h', paused: false },
        { scheduleId: 'salvor/prod/prune', outcome, detail: 'cron "0 3 * * *" UTC', paused: false },
      ],
    });
    const dry = await salvor('apply', '--config', config, '--dry-run', '-o', 'json');
    assert.deepEqual(dry.json, { ...applied('created'), dryRun: true });
    assert.deepEqual((await salvor('apply', '--config', config, '-o', 'json')).json, applied('created'));

    const paused = await salvor('pause', 'prod', '--note', 'storage is being moved', '-o', 'json');
    assert.deepEqual(paused.json, { paused: ['salvor/prod/backup', 'salvor/prod/prune'] });
    const resumed = await salvor('resume', 'prod', 'prune', '-o', 'json');
    assert.deepEqual(resumed.json, { resumed: ['salvor/prod/prune'] });

    let listed = await salvor('list');
    for (const deadline = Date.now() + DEADLINE_MS; !listed.stdout.includes('prune'); await sleep(500)) {
      assert.ok(Date.now() < deadline, listed.stdout);
      listed = await salvor('list');
    }
    assert.match(listed.stdout, /prod +backup +every 6h +paused: storage is being moved +- +0 +0/);
    assert.match(listed.stdout, /prod +prune +cron "0 3 \* \* \*" UTC +\d{4}-\d\d-\d\d 03:00:00 UTC/);

    const triggered = await salvor('trigger', 'prod', 'backup');
    assert.equal(triggered.exit, 0);
    assert.match(triggered.stdout, /^started backup\/prod\/scheduled-/);
    const again = await salvor('trigger', 'prod', 'backup');
    assert.equal(again.exit, 1);
    assert.match(again.stdout, /^skipped: backup\/prod\/scheduled-\S+ is still running/);

    const without = await configure('{ prune: { cron: "0 3 * * *" } }');
    const changed = await salvor('apply', '--config', without);
    assert.match(changed.stdout, /salvor\/prod\/prune +unchanged/);
    assert.match(changed.stdout, /salvor\/prod\/backup +deleted +not in the configuration; paused/);
  });

  test('what can’t be done is said as one JSON document, with exit status 2', async () => {
    const config = await configure('{ backup: { every: 7h, window: "00:00-06:00" } }');
    const wrong = await salvor('apply', '--config', config, '-o', 'json');
    assert.equal(wrong.exit, 2);
    assert.match(wrong.stdout, /InvalidConfiguration/);
    assert.match(wrong.stdout, /clusters\.prod\.schedules\.backup\.every: with a window, expected whole minutes/);

    const unknown = await salvor('pause', 'elsewhere', '--note', 'why', '-o', 'json');
    assert.equal(unknown.exit, 2);
    assert.match(unknown.stdout, /Temporal has no schedule of \\"elsewhere\\"/);

    const operation = await salvor('trigger', 'prod', 'restore', '-o', 'json');
    assert.equal(operation.exit, 2);
    assert.match(operation.stdout, /expected one of: backup, prune, verify/);
  });
});
