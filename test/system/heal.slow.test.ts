import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CatalogueEntry } from '../../domain/backups/catalogue-entry.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { HealReport } from '../../domain/operations/heal.ts';
import type { ListBackupsReport } from '../../domain/operations/list-backups.ts';
import { bringUpPart, killPart } from '../../playground/handle.ts';
import { salvor } from '../support/salvor.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { PLAYGROUND_CLUSTER as cluster, startWorld, type World } from '../support/world.ts';
import { proxyEtcd } from '../support/world-proxies.ts';

let world: World;
let proxies: TcpProxy[] = [];
before(async () => {
  world = await startWorld({ kubernetes: false });
  for (let index = 0; index < 12; index += 1) {
    await world.etcd().put(`/registry/secrets/default/s-${index}`).value(randomBytes(1_000_000)).exec();
  }
  proxies = await proxyEtcd(world);
  // The rules of the playground would do as well; without them nothing here depends on the calendar.
  await world.configure(({ stores }) => {
    for (const store of Object.values(stores)) delete store['retention'];
  });
});
after(async () => {
  for (const proxy of proxies) proxy.close();
  await world.down();
});

async function backups(): Promise<CatalogueEntry[]> {
  return (await world.run<ListBackupsReport>('listBackups', { cluster })).backups;
}

async function stateOf(backup: string): Promise<string> {
  const found = (await backups()).find((entry) => entry.backup === backup);
  return `${found?.state} in ${found?.stores.join('+')}`;
}

let first = '';

test('an S3 server that goes away during a backup leaves it degraded, and when it is back the copy is healed', async () => {
  const { playground } = world;
  for (const proxy of proxies) proxy.hold({ answeredBytes: 8_000_000 });
  const command = salvor<BackupReport>(world, 'backup', cluster);
  await until('the first bytes lie in the local store', async () => {
    const files = await readdir(playground.localStore, { recursive: true });
    return files.some((file) => file.includes('.part-') && file.includes('snapshot'));
  });
  await killPart(playground, 's3', 'SIGKILL');
  for (const proxy of proxies) proxy.release();
  const { exit, report } = await command;
  first = report.backup;
  assert.deepEqual([exit, report.state], [3, 'degraded']);
  assert.deepEqual(
    report.artifacts.find(({ kind }) => kind === 'snapshot')?.copies.map(({ store, state }) => `${store} ${state}`),
    ['local complete', 'offsite failed'],
  );
  const away = await salvor<HealReport>(world, 'heal', cluster);
  assert.equal(away.exit, 3);
  assert.deepEqual(
    away.report.unreadable.map(({ store }) => store),
    ['offsite'],
  );

  await bringUpPart(playground, 's3');
  assert.equal(await stateOf(first), 'degraded in local');
  const healed = await salvor<HealReport>(world, 'heal', cluster);
  assert.equal(healed.exit, 0, healed.stderr);
  assert.deepEqual(healed.report.failed, []);
  assert.ok(healed.report.healed.every(({ from, to }) => from === 'local' && to === 'offsite'));
  assert.equal(await stateOf(first), 'complete in local+offsite');
});

test('a backup heals what an older one lacks, with nobody asking', async () => {
  const { playground } = world;
  await killPart(playground, 's3', 'SIGKILL');
  const { backup } = await world.run<BackupReport>('backup', { cluster });
  await bringUpPart(playground, 's3');
  assert.equal(await stateOf(backup), 'degraded in local');
  const next = await world.run<BackupReport>('backup', { cluster });
  assert.equal(next.state, 'complete');
  assert.equal(await stateOf(backup), 'complete in local+offsite');
});

test('a copy that was cut off in a store is replaced, and one whose last copy is gone is named', async () => {
  const { playground } = world;
  const [newest, ...older] = await backups();
  assert.ok(newest && older.length > 0);
  const files = await readdir(playground.localStore, { recursive: true });
  const snapshot = files.find((file) => file.includes(`snapshot-${newest.backup}`)) ?? '';
  await truncate(join(playground.localStore, snapshot), 1_000);
  assert.match(await stateOf(newest.backup), /^degraded/);
  const { exit, report } = await salvor<HealReport>(world, 'heal', cluster, '--backup', newest.backup);
  assert.equal(exit, 0);
  assert.deepEqual(
    report.healed.map(({ key, from, to }) => [key, from, to]),
    [[snapshot, 'offsite', 'local']],
  );
  assert.match(await stateOf(newest.backup), /^complete/);

  // Nothing is left to heal from.
  await rm(join(playground.localStore, snapshot));
  await rm(join(playground.directory, 'stores', 'offsite', playground.s3.bucket, snapshot));
  const lost = await salvor<HealReport>(world, 'heal', cluster);
  assert.equal(lost.exit, 1);
  assert.ok(lost.report.failed.some(({ key, error }) => key === snapshot && /no other store has/.test(error)));
});
