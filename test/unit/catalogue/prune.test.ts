import assert from 'node:assert/strict';
import { mkdtemp, rm, unlink, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { readCatalogue } from '../../../adapters/catalogue/catalogue.ts';
import { setPin } from '../../../adapters/catalogue/pins.ts';
import { planPrune, type PruneOptions } from '../../../adapters/catalogue/prune-plan.ts';
import { removeBackups, removeOrphans } from '../../../adapters/catalogue/prune.ts';
import type { Store } from '../../../adapters/stores/store.ts';
import { manifestKey, pinnedKey, snapshotKey, verifiedKey } from '../../../domain/format/keys.ts';
import { isFailure, signal } from '../../support/store-contract.ts';
import { keysOf, NODE, PLAIN, type StoredBackups, storedBackups, ZSTD } from '../../support/stored-backups.ts';

let root = '';
let stored: StoredBackups;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'salvor-prune-'));
});
after(() => rm(root, { recursive: true }));
beforeEach(async () => {
  stored = await storedBackups(root);
});

const IDS = ['20260101-000000', '20260102-000000', '20260103-000000', '20260104-000000'] as const;
const [OLDEST, SECOND, THIRD, NEWEST] = IDS;
const OPTIONS: PruneOptions = { now: new Date('2026-01-05T00:00:00Z'), includeForeign: false };

async function fourBackups(): Promise<void> {
  for (const [index, backup] of IDS.entries()) {
    await stored.backup(backup, { takenAt: `2026-01-0${index + 1}T00:00:00.000Z` });
  }
}

async function plan(store: Store, options: Partial<PruneOptions> = {}) {
  const retention = stored.cluster.stores.find(({ name }) => name === store.name)?.retention ?? {};
  return await planPrune(await stored.catalogue(), store, retention, { ...OPTIONS, ...options }, signal());
}

/** Prunes as the operation does it. */
async function prune(store: Store, options: Partial<PruneOptions> = {}) {
  const { removed, orphans } = await plan(store, options);
  const kept = await removeBackups(await stored.catalogue(), store, stored.stores(), removed, signal());
  await removeOrphans(
    store,
    orphans.map(({ key }) => key),
    signal(),
  );
  return { kept, removed };
}

function reasons({ kept, removed }: Awaited<ReturnType<typeof plan>>): string[] {
  const lines = [
    ...kept.map((each) => ({ ...each, done: 'kept' })),
    ...removed.map((each) => ({ ...each, done: 'removed' })),
  ];
  return lines
    .sort((a, b) => (a.backup < b.backup ? 1 : -1))
    .map(({ backup, done, reason }) => `${backup} ${done}: ${reason}`);
}

/** A store that does something of its own before it removes a key. */
function watched(store: Store, onRemove: (key: string) => Promise<'locked' | undefined>): Store {
  return { ...store, remove: async (key, end) => (await onRemove(key)) ?? (await store.remove(key, end)) };
}

test('each store keeps what its own rules keep, and nothing is left of the others', async () => {
  await fourBackups();
  stored.retain('local', { keepLast: 2 });
  const local = stored.store('local');
  assert.deepEqual(reasons(await plan(local)), [
    `${NEWEST} kept: newest good backup`,
    `${THIRD} kept: kept by keepLast: 2 of 2`,
    `${SECOND} removed: older than every rule keeps`,
    `${OLDEST} removed: older than every rule keeps`,
  ]);
  await prune(local);
  assert.deepEqual(await stored.keys('local'), [...keysOf(NEWEST), ...keysOf(THIRD)].sort());
  assert.equal((await stored.keys('offsite')).length, 12);
  assert.deepEqual(
    (await stored.catalogue()).entries.map(({ entry }) => entry.state),
    ['complete', 'complete', 'complete', 'complete'],
  );
  assert.deepEqual((await plan(local)).removed, [], 'a second run finds nothing to do');
});

test('the manifest goes first, and what a kill leaves is finished by the next attempt', async () => {
  await fourBackups();
  stored.retain('local', { keepLast: 3 });
  const local = stored.store('local');
  const { removed } = await plan(local);
  const order: string[] = [];
  const killed = watched(local, async (key) => {
    order.push(key);
    if (order.length === 2) throw new Error('killed');
    return undefined;
  });
  const before = await stored.catalogue();
  await assert.rejects(removeBackups(before, killed, stored.stores(), removed, signal()), /killed/);
  assert.equal(order[0], manifestKey('prod', NODE, OLDEST));
  const between = await stored.catalogue();
  assert.deepEqual(between.entries.find(({ entry }) => entry.backup === OLDEST)?.entry.stores, ['local', 'offsite']);
  assert.equal((await plan(local)).removed.length, 1, 'half a backup is still one to remove');
  await removeBackups(between, local, stored.stores(), removed, signal());
  assert.deepEqual(
    (await stored.keys('local')).filter((key) => key.includes(OLDEST)),
    [],
  );
});

test('in the only store, what is left without a manifest is removed by the attempt that goes on, plain snapshots as well', async () => {
  stored.cluster.stores.pop();
  const local = stored.store('local');
  const key = snapshotKey('prod', NODE, OLDEST, PLAIN);
  await stored.put('local', key, 'left without its manifest');
  await stored.put('local', snapshotKey('prod', NODE, SECOND, ZSTD), 'the same, compressed');
  const names = [OLDEST, SECOND].map((backup) => ({ backup, nodeAddress: NODE }));
  await removeBackups(await stored.catalogue(), local, [local], names, signal());
  assert.deepEqual(await stored.keys('local'), []);
});

test('a pinned backup and the last proven one are kept by any rule', async () => {
  await fourBackups();
  stored.retain('local', { keepLast: 1 });
  await stored.put('local', pinnedKey('prod', NODE, OLDEST), '{}');
  await stored.drill('offsite', SECOND, '2026-01-04T00:00:00Z', 'restored');
  assert.deepEqual(reasons(await plan(stored.store('local'))), [
    `${NEWEST} kept: newest good backup`,
    `${THIRD} removed: older than every rule keeps`,
    `${SECOND} kept: last proven backup: restored`,
    `${OLDEST} kept: pinned`,
  ]);
});

test('a proof that only the pruned store has is handed on to one that keeps the backup', async () => {
  await fourBackups();
  await stored.drill('local', OLDEST, '2026-01-04T00:00:00Z', 'restored');
  const names = [{ backup: OLDEST, nodeAddress: NODE }];
  await removeBackups(await stored.catalogue(), stored.store('local'), stored.stores(), names, signal());
  assert.ok((await stored.keys('offsite')).includes(verifiedKey('prod', NODE, OLDEST)));
  const found = (await stored.catalogue()).entries.find(({ entry }) => entry.backup === OLDEST);
  assert.deepEqual([found?.entry.proof, found?.entry.stores], ['restored', ['offsite']]);
});

test('while a store can’t be read, what may be pinned or proven there is kept in the others, and nothing is swept', async () => {
  await fourBackups();
  stored.retain('local', { keepLast: 1 });
  const stray = snapshotKey('prod', NODE, '20251201-000000', ZSTD);
  await stored.put('local', stray, 'belongs to nothing that can be read');
  await utimes(stored.pathIn('local', stray), 1, 1);
  const [first] = IDS;
  const local = stored.store('local');
  assert.equal((await plan(local)).orphans.length, 1);
  await rm(stored.pathIn('offsite', ''), { recursive: true });
  const { removed, kept, orphans } = await plan(local);
  assert.deepEqual([removed, orphans], [[], []]);
  assert.match(
    kept.find(({ backup }) => backup === first)?.reason ?? '',
    /^store "offsite" can't be read, and the pin or proof/,
  );
});

test('the only copy of what another store is to have as well stays until that one has it', async () => {
  await fourBackups();
  stored.retain('local', { keepLast: 1 });
  for (const key of keysOf(SECOND)) await unlink(stored.pathIn('offsite', key));
  const lines = reasons(await plan(stored.store('local')));
  assert.equal(lines[2], `${SECOND} kept: kept until store "offsite" has its copy as well; heal that store`);
  assert.match(lines[3] ?? '', /removed/);
});

test('a lock is known before anything is removed, and counts in the decision', async () => {
  await fourBackups();
  stored.retain('local', { keepLast: 1 });
  const local = stored.store('local');
  const locked: Store = {
    ...local,
    head: async (key, end) => {
      const object = await local.head(key, end);
      return object && { ...object, locked: key.includes(`snapshot-${SECOND}`) };
    },
  };
  assert.equal(reasons(await plan(locked))[2], `${SECOND} kept: locked by the store`);
});

test('a lock that shows only when it is in the way leaves no half backup', async () => {
  await fourBackups();
  stored.retain('local', { keepLast: 1 });
  const local = stored.store('local');
  const everything = await stored.keys('local');
  const locking = watched(local, async (key) => (key.includes('snapshot-') ? 'locked' : undefined));
  const { kept } = await prune(locking);
  assert.deepEqual(
    kept.map(({ backup, reason }) => `${backup} ${reason}`).sort(),
    [OLDEST, SECOND, THIRD].map((backup) => `${backup} locked by the store`),
  );
  assert.deepEqual(await stored.keys('local'), everything);
});

test('an older script’s snapshots are pruned only when that is asked for', async () => {
  await fourBackups();
  stored.retain('local', { keepLast: 1 });
  const old = 'prod/10.0.0.1/snapshot-20251230-000000.db';
  const older = 'prod/10.0.0.1/etcd-snapshot-20251229-000000.db';
  for (const key of [old, older]) {
    await stored.put('local', key, 'script');
    await utimes(stored.pathIn('local', key), 1, 1);
  }
  const local = stored.store('local');
  assert.match(reasons(await plan(local))[4] ?? '', /^20251230-000000 kept: foreign: pruned only when asked/);
  await prune(local);
  assert.equal((await stored.keys('local')).filter((key) => key === old || key === older).length, 2);
  await prune(local, { includeForeign: true });
  assert.deepEqual(await stored.keys('local'), keysOf(NEWEST).sort());
});

test('what belongs to no backup goes when it is older than a day', async () => {
  await fourBackups();
  const now = new Date();
  for (const [key, hours] of [
    [snapshotKey('prod', NODE, '20251201-000000', ZSTD), 23],
    [snapshotKey('prod', NODE, '20251202-000000', ZSTD), 25],
    [pinnedKey('prod', NODE, '20251203-000000'), 25],
    ['prod/10.0.0.1/notes.txt', 25],
  ] as const) {
    await stored.put('local', key, 'x');
    const time = now.getTime() / 1_000 - hours * 3_600;
    await utimes(stored.pathIn('local', key), time, time);
  }
  const { orphans } = await plan(stored.store('local'), { now });
  assert.deepEqual(
    orphans.map(({ key }) => key),
    [pinnedKey('prod', NODE, '20251203-000000'), snapshotKey('prod', NODE, '20251202-000000', ZSTD)],
  );
  assert.deepEqual((await plan(stored.store('local'), { now, hold: 'members disagree' })).orphans, []);
});

test('a hold keeps everything, with its reason', async () => {
  await fourBackups();
  stored.retain('local', { keepLast: 1 });
  const { kept, removed } = await plan(stored.store('local'), { hold: 'members disagree' });
  assert.deepEqual(removed, []);
  assert.deepEqual(new Set(kept.map(({ reason }) => reason)), new Set(['members disagree']));
});

test('a pin lies in every store that has the backup, once however often it is set, and goes from all', async () => {
  await fourBackups();
  const pin = async (backup: string, pinned: boolean) =>
    await setPin(await stored.catalogue(), stored.stores(), { backup, pinned, now: OPTIONS.now }, signal());
  const key = pinnedKey('prod', NODE, NEWEST);
  assert.deepEqual(await pin('latest', true), { backup: NEWEST, stores: ['local', 'offsite'] });
  await pin(NEWEST, true);
  for (const store of ['local', 'offsite']) assert.ok((await stored.keys(store)).includes(key));
  await pin(NEWEST, false);
  await pin(NEWEST, false);
  for (const store of ['local', 'offsite']) assert.ok(!(await stored.keys(store)).includes(key));
  await rm(stored.pathIn('offsite', ''), { recursive: true });
  assert.deepEqual((await pin(NEWEST, true)).stores, ['local']);
  await assert.rejects(pin(NEWEST, false), isFailure('StoreUnavailable', /a pin in it would still count/));
  await assert.rejects(pin('20200101-000000', true), isFailure('UnknownBackup', /has no backup 20200101-000000/));
});

test('a prune that would remove more good backups than it keeps removes nothing until it is allowed', async () => {
  await fourBackups();
  await stored.backup('20260104-120000', { takenAt: '2026-01-04T12:00:00.000Z' });
  stored.retain('local', { keepLast: 1 });
  const local = stored.store('local');
  const held = await plan(local);
  assert.deepEqual([held.kept.length, held.removed.length], [5, 0]);
  assert.match(held.hold ?? '', /remove 4 good backups at once and keep 1.*--remove-many/);
  const shown = await plan(local, { dryRun: true });
  assert.deepEqual([shown.removed.length, shown.hold], [4, held.hold]);
  const allowed = await plan(local, { removeMany: true });
  assert.deepEqual([allowed.removed.length, allowed.hold], [4, undefined]);
});

test('what an operation has just taken is not what it prunes', async () => {
  await fourBackups();
  stored.retain('local', { keepLast: 1 });
  const local = stored.store('local');
  assert.ok((await plan(local)).removed.some(({ backup }) => backup === THIRD));
  const spared = await plan(local, { spare: THIRD });
  assert.ok(reasons(spared).includes(`${THIRD} kept: just taken by this operation`));
});

test('a backup dated in the future stays, takes no other’s place, and the list says so', async () => {
  await fourBackups();
  await stored.backup('20270101-000000', { takenAt: '2027-01-01T00:00:00.000Z' });
  stored.retain('local', { keepLast: 2 });
  const told = reasons(await plan(stored.store('local')));
  assert.ok(told.includes('20270101-000000 kept: dated in the future: kept, and counts for no rule'), told.join());
  assert.ok(told.includes(`${THIRD} kept: kept by keepLast: 2 of 2`), told.join());
  const { entries } = await readCatalogue(stored.cluster, stored.stores(), signal(), OPTIONS.now);
  assert.match(entries[0]?.entry.problem ?? '', /dated in the future/);
});
