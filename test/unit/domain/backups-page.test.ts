import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageOf } from '../../../domain/backups/backups-page.ts';
import { backupIdOf } from '../../../domain/format/keys.ts';
import type { CatalogueEntry } from '../../../domain/backups/catalogue-entry.ts';

const NEWEST_MS = Date.UTC(2026, 0, 1);

/** Newest first, the nodes of one second together. */
function list(count: number, nodes = ['m1'], problem?: string): CatalogueEntry[] {
  return Array.from({ length: count }, (_, index) => new Date(NEWEST_MS - index * 3_600_000)).flatMap((time) =>
    nodes.map((node) => ({
      backup: backupIdOf(time),
      takenAt: time.toISOString(),
      node,
      state: 'complete',
      revision: '1234567',
      proof: 'readBack',
      pinned: false,
      stores: ['local', 'offsite'],
      bytes: 123_456_789,
      ...(problem !== undefined && { problem }),
    })),
  );
}

/** All pages, each with its size as JSON. */
function pagesOf(entries: CatalogueEntry[], limit?: number) {
  const pages: { backups: CatalogueEntry[]; bytes: number }[] = [];
  for (let before: string | undefined; ;) {
    const page = pageOf(entries, { ...(before && { before }), ...(limit !== undefined && { limit }) });
    pages.push({ backups: page.backups, bytes: Buffer.byteLength(JSON.stringify(page)) });
    before = page.backups.at(-1)?.backup;
    if (page.more === undefined) return pages;
  }
}

test('a list that fits is one page, and nothing is left', () => {
  const entries = list(100);
  assert.deepEqual(pageOf(entries, {}), { backups: entries });
  assert.deepEqual(pageOf([], {}), { backups: [] });
});

test('the pages of 30,000 backups, whatever is wrong with them, hold each one once, in order, and none is too large for Temporal', () => {
  for (const entries of [list(30_000), list(3_000, ['m1'], 'no store has snapshot; '.repeat(40))]) {
    const pages = pagesOf(entries);
    assert.ok(pages.length > 1);
    assert.deepEqual(
      pages.flatMap(({ backups }) => backups),
      entries,
    );
    for (const { bytes } of pages) assert.ok(bytes < 512 * 1024, `${bytes} bytes`);
  }
});

test('backups of one second are never parted: the next page begins before their name', () => {
  const entries = list(5, ['m1', 'm2', 'm3']);
  const pages = pagesOf(entries, 4).map(({ backups }) => backups.map(({ node }) => node).join('+'));
  assert.deepEqual(pages, ['m1+m2+m3+m1+m2+m3', 'm1+m2+m3+m1+m2+m3', 'm1+m2+m3']);
});

test('a page tells how many are left, and one before the oldest is empty', () => {
  const entries = list(10);
  assert.equal(pageOf(entries, { limit: 3 }).more, 7);
  assert.deepEqual(pageOf(entries, { before: entries.at(-1)?.backup ?? '' }), { backups: [] });
});
