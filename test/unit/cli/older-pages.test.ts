import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withOlderPages } from '../../../client/older-pages.ts';
import type { SalvorClient } from '../../../client/salvor.ts';
import type { CatalogueEntry } from '../../../domain/backups/catalogue-entry.ts';
import type { ListBackupsInput, ListBackupsReport } from '../../../domain/operations/list-backups.ts';

const NAMES = ['20260104-000000', '20260103-000000', '20260102-000000', '20260101-000000'];
const ENTRIES: CatalogueEntry[] = NAMES.map((backup) => ({
  backup,
  takenAt: '2026-01-01T00:00:00.000Z',
  node: 'm1',
  state: 'complete',
  revision: '1',
  proof: null,
  pinned: false,
  stores: ['local'],
  bytes: 1,
}));

/** A client whose operations give pages of one backup. */
function pagesOfOne(asked: ListBackupsInput[], unreadable: (before?: string) => ListBackupsReport['unreadable']) {
  async function backups(input: ListBackupsInput) {
    asked.push(input);
    const { before } = input;
    const older = ENTRIES.filter(({ backup }) => before === undefined || backup < before);
    const more = older.length - 1;
    const page: ListBackupsReport = {
      cluster: 'prod',
      backups: older.slice(0, 1),
      ...(more > 0 && { more }),
      unreadable: unreadable(before),
    };
    return { result: async () => page };
  }
  return { backups: backups as unknown as SalvorClient['backups'] };
}

test('the pages become one list, which says no more that any are left', async () => {
  const asked: ListBackupsInput[] = [];
  const client = pagesOfOne(asked, () => []);
  const first = await (await client.backups({ cluster: 'prod', store: 'local' })).result();
  const whole = await withOlderPages(client, { cluster: 'prod', store: 'local' }, first);
  assert.deepEqual(whole, { cluster: 'prod', backups: ENTRIES, unreadable: [] });
  assert.deepEqual(
    asked.map(({ store, before }) => [store, before]),
    [undefined, ...NAMES.slice(0, 3)].map((before) => ['local', before]),
  );
});

test('a store that could not be read for any of the pages is named once', async () => {
  const client = pagesOfOne([], (before) => (before === undefined ? [] : [{ store: 'offsite', error: 'refused' }]));
  const first = await (await client.backups({ cluster: 'prod' })).result();
  assert.deepEqual((await withOlderPages(client, { cluster: 'prod' }, first)).unreadable, [
    { store: 'offsite', error: 'refused' },
  ]);
});
