import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import { environment } from '../../adapters/environment.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, readKeys, startWorld, type World } from '../support/world.ts';

const SALVOR = fileURLToPath(new URL('../../bin/salvor', import.meta.url));

let world: World;
let startCommand: string;
before(async () => {
  world = await startWorld({ kubernetes: false });
  startCommand = join(world.playground.directory, 'start-m2');
  // A node whose etcd can be stopped, but whose start command isn't there: nothing finds out before it is needed.
  await world.configure(({ clusters }) => {
    const etcd = clusters[cluster]?.nodes[1]?.['etcd'] as { service: Record<string, string[]> };
    etcd.service['start'] = [startCommand];
  });
});
after(async () => await world.down());

async function salvor(...args: string[]): Promise<string> {
  const env = { ...environment(), TEMPORAL_ADDRESS: world.playground.temporalAddress };
  const { stdout } = await promisify(execFile)(SALVOR, args, { env });
  return stdout;
}

async function mendStartCommand(): Promise<void> {
  const service = world.playground.nodes[1]?.etcdService ?? '';
  await writeFile(startCommand, `#!/bin/sh\nexec '${service}' start\n`, { mode: 0o755 });
}

async function untilWaiting(handle: WorkflowHandle): Promise<string> {
  return await until('the restore waits for a person', async () => {
    const { waitingFor } = await handle.query<Progress>('progress');
    return waitingFor ?? undefined;
  });
}

test('a restore that cannot start a member waits, and is rolled back to the very state before it', async () => {
  await putKeys(world.etcd(), 50);
  const { backup } = await world.run<BackupReport>('backup', { cluster });
  await putKeys(world.etcd(), 30, '/registry/later/');
  const wanted = await readKeys(world.etcd());
  const { header } = await world.etcd().get('nothing').exec();

  const handle = await world.start('restore', { cluster, confirm: cluster, approve: 'auto', backup });
  assert.match(await untilWaiting(handle), /^Start etcd \(m2\): .*start-m2.*Decide: retry, rollback or abort$/);
  assert.match(
    await salvor('show', handle.workflowId, '--detach').catch((error: { stdout: string }) => error.stdout),
    /Waiting for a person/,
  );
  await mendStartCommand();
  assert.match(await salvor('rollback', cluster), /^rollback: Start etcd \(m2\)/);
  const report = (await handle.result()) as RestoreReport;

  assert.equal(report.outcome, 'rolled-back');
  for (const { name } of world.playground.nodes) assert.deepEqual(await readKeys(world.etcd(name)), wanted);
  const now = await world.etcd().get('nothing').exec();
  assert.equal(now.header.cluster_id, header.cluster_id, 'the old cluster, not a new one');
  assert.equal(now.header.revision, header.revision);
  assert.equal(report.setAside.length, 3, 'the restored data is kept');
  for (const { path } of report.setAside) await access(path);
});

test('the cluster that was rolled back can be restored again', async () => {
  const report = await world.run<RestoreReport>('restore', { cluster, confirm: cluster, approve: 'auto' });
  assert.equal(report.outcome, 'restored');
});
