/** A file copied from a data directory has no hash: it is proven and restored only when that is asked for by name. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Etcd3 } from 'etcd3';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import type { VerifyReport } from '../../domain/operations/verify.ts';
import type { RestorePlan } from '../../domain/restore/plan.ts';
import { provideTool } from '../../adapters/binaries/binaries.ts';
import { failureTypeIn } from '../support/failures.ts';
import { CLUSTER, type ServiceCluster, serviceCluster, withOperations } from '../support/service-cluster.ts';
import { startTemporal } from '../support/temporal.ts';
import { putKeys, readKeys } from '../support/world.ts';

const COPY = '20261101-020304';
const CUT_OFF = '20261101-030405';

let temporal: TestWorkflowEnvironment;
let cluster: ServiceCluster;
let wanted: Record<string, string>;

before(async () => {
  temporal = await startTemporal();
  cluster = await serviceCluster((await provideTool('etcd')).path);
  await cluster.start();
  const etcd = new Etcd3({ hosts: cluster.members.map(({ clientUrl }) => clientUrl) });
  await putKeys(etcd, 60);
  wanted = await readKeys(etcd);
  etcd.close();
  // As people do it: etcd is stopped, and the file is put where an older script kept its snapshots.
  await cluster.stop();
  const folder = join(cluster.store, CLUSTER, '127.0.0.11');
  await mkdir(folder, { recursive: true });
  const [member] = cluster.members;
  assert.ok(member);
  for (const name of [COPY, CUT_OFF]) {
    await copyFile(join(member.dataDir, 'member/snap/db'), join(folder, `snapshot-${name}.db`));
  }
  await truncate(join(folder, `snapshot-${CUT_OFF}.db`), 3 * 4_096);
  await cluster.start();
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  await temporal.teardown();
});

/** That it fails, how, and with which words. */
async function refused(work: Promise<unknown>, type: string, words: RegExp): Promise<void> {
  const error = await work.then(
    () => assert.fail('it was done'),
    (reason: unknown) => reason,
  );
  assert.equal(failureTypeIn(error), type);
  assert.match(messagesOf(error), words);
}

function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${messagesOf(error.cause)}` : '';
}

test('without being asked for it is refused, and the message names the option', async () => {
  await withOperations(temporal, cluster.configFile, async (run) => {
    const how = /pages without the hash.*skipHashCheck \(--skip-hash-check\)/s;
    await refused(run('planRestore', { cluster: CLUSTER, backup: COPY }), 'BackupCorrupt', how);
    await refused(run('verify', { cluster: CLUSTER, backup: COPY }), 'BackupCorrupt', how);
  });
});

test('asked for, a verify restores it in scratch and says what no hash means', async () => {
  await withOperations(temporal, cluster.configFile, async (run) => {
    const { proof, checks } = await run<VerifyReport>('verify', {
      cluster: CLUSTER,
      backup: COPY,
      skipHashCheck: true,
    });
    assert.equal(proof, 'restored');
    assert.match(checks.map(({ seen }) => seen).join('\n'), /whole pages without a hash/);
  });
});

test('asked for, one that was cut off at a page is refused all the same', async () => {
  await withOperations(temporal, cluster.configFile, async (run) => {
    for (const operation of ['planRestore', 'verify']) {
      await refused(run(operation, { cluster: CLUSTER, backup: CUT_OFF, skipHashCheck: true }), 'BackupCorrupt', /./);
    }
  });
});

test('a backup with a manifest is not excused from its hash', async () => {
  await withOperations(temporal, cluster.configFile, async (run) => {
    const { backup } = await run<BackupReport>('backup', { cluster: CLUSTER, override: ['young-cluster'] });
    for (const operation of ['planRestore', 'verify']) {
      const asked = run(operation, { cluster: CLUSTER, backup, skipHashCheck: true });
      await refused(asked, 'InvalidInput', /has a manifest.*Leave it out/);
    }
  });
});

test('asked for, the plan warns of it, and every member is restored from it', async () => {
  const etcd = new Etcd3({ hosts: cluster.members.map(({ clientUrl }) => clientUrl) });
  await etcd.delete().prefix('/registry/').exec();
  etcd.close();
  await withOperations(temporal, cluster.configFile, async (run) => {
    const choice = { cluster: CLUSTER, backup: COPY, skipHashCheck: true };
    const plan = await run<RestorePlan>('planRestore', choice);
    assert.match(plan.warnings.join('\n'), /copy of a data directory, without a hash/);
    const report = await run<RestoreReport>('restore', { ...choice, confirm: CLUSTER, approve: plan.digest });
    assert.equal(report.outcome, 'restored', report.problem ?? '');
  });
  for (const { clientUrl } of cluster.members) {
    const member = new Etcd3({ hosts: clientUrl });
    assert.deepEqual(await readKeys(member), wanted);
    member.close();
  }
});
