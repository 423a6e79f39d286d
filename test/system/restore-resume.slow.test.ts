/**
 * Restores whose operation is terminated in the middle: the nodes themselves tell a new one how to go on, or how to put
 * everything back.
 */
import assert from 'node:assert/strict';
import { access, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { WorkflowHandle } from '@temporalio/client';
import { journalPath } from '../../domain/node-paths.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import type { RestoreReport, Resume } from '../../domain/operations/restore.ts';
import { failureMessageIn } from '../support/failures.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, putKeys, readKeys, startWorld, type World } from '../support/world.ts';

type Command = 'start' | 'stop';

let world: World;
before(async () => {
  world = await startWorld({ kubernetes: false });
  // Commands of m2 that can be taken away: nothing finds out before they are needed.
  for (const command of ['start', 'stop'] as const) await mend(command);
  await world.configure(({ clusters }) => {
    const etcd = clusters[cluster]?.nodes[1]?.['etcd'] as { service: Record<string, string[]> };
    for (const command of ['start', 'stop'] as const) etcd.service[command] = [commandFile(command)];
  });
});
after(async () => await world.down());

function commandFile(command: Command): string {
  return join(world.playground.directory, `${command}-m2`);
}
async function mend(command: Command): Promise<void> {
  const service = world.playground.nodes[1]?.etcdService ?? '';
  await writeFile(commandFile(command), `#!/bin/sh\nexec '${service}' ${command}\n`, { mode: 0o755 });
}
async function terminateWhenWaiting(handle: WorkflowHandle, step: RegExp): Promise<void> {
  await until(
    'the restore waits for a person',
    async () => {
      const { waitingFor } = await handle.query<Progress>('progress');
      return waitingFor !== null && step.test(waitingFor);
    },
    400_000,
  );
  await handle.terminate('as if its history were lost');
}

/** A failure is to be told, not waited out. */
async function resultOf(handle: WorkflowHandle): Promise<RestoreReport> {
  return await until('the restore ends', async () => {
    const { status } = await handle.describe();
    if (status.name !== 'RUNNING') return (await handle.result()) as RestoreReport;
    const { waitingFor } = await handle.query<Progress>('progress');
    if (waitingFor !== null) throw new Error(waitingFor);
    return undefined;
  });
}

async function leftBeside(): Promise<string[]> {
  const names = await Promise.all(
    world.playground.nodes.map(async ({ dataDir }) => {
      const entries = await readdir(dirname(dataDir));
      return entries.filter((name) => name.startsWith(`${basename(dataDir)}.salvor-`));
    }),
  );
  return names.flat();
}

const cases: { broken: Command; step: RegExp; resume: Resume; outcome: RestoreReport['outcome'] }[] = [
  { broken: 'stop', step: /^Stop etcd \(m2\)/, resume: 'forward', outcome: 'restored' },
  { broken: 'start', step: /^Start etcd \(m2\)/, resume: 'forward', outcome: 'restored' },
  { broken: 'stop', step: /^Stop etcd \(m2\)/, resume: 'rollback', outcome: 'rolled-back' },
  { broken: 'start', step: /^Start etcd \(m2\)/, resume: 'rollback', outcome: 'rolled-back' },
];
for (const [index, { broken, step, resume, outcome }] of cases.entries()) {
  test(`a restore that is terminated when it can't ${broken} a member is ${outcome} by a new one`, async () => {
    await putKeys(world.etcd(), 20, `/registry/kept-${index}/`);
    const { backup } = await world.run<BackupReport>('backup', { cluster });
    const kept = await readKeys(world.etcd());
    await putKeys(world.etcd(), 10, `/registry/later-${index}/`);
    const later = await readKeys(world.etcd());
    const { header } = await world.etcd().get('nothing').exec();

    await rm(commandFile(broken));
    const handle = await world.start('restore', { cluster, confirm: cluster, approve: 'auto', backup });
    await terminateWhenWaiting(handle, step);
    for (const { dataDir } of world.playground.nodes) await access(journalPath(dataDir));
    await mend(broken);

    await assert.rejects(
      world.run('restore', { cluster, confirm: cluster, approve: 'auto', backup }),
      (error) => /has not ended.*--resume/s.test(failureMessageIn(error)),
      'another restore is refused',
    );
    const report = await resultOf(await world.start('restore', { cluster, confirm: cluster, resume }));

    assert.equal(report.outcome, outcome, report.problem ?? '');
    assert.equal(report.backup, backup);
    const wanted = outcome === 'restored' ? kept : later;
    for (const { name } of world.playground.nodes) assert.deepEqual(await readKeys(world.etcd(name)), wanted);
    const now = await world.etcd().get('nothing').exec();
    assert.equal(now.header.cluster_id === header.cluster_id, outcome === 'rolled-back');
    for (const { path } of report.setAside) await access(path);
    assert.deepEqual(await leftBeside(), [], 'no journal and nothing staged is left');
  });
}
