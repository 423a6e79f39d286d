/** The house: what imports what, and how wide its lines are. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
/** Of the product, from the bottom up. */
const ROOMS = ['domain', 'adapters', 'activities', 'workflows', 'workers', 'client', 'cli', 'playground', 'tools'];
const WIDEST = 120;

const sources = ROOMS.flatMap((room) =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(room, file)),
);

interface Arrow {
  from: string;
  to: string;
}

function importsOf(file: string): Arrow[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path = '']) => ({
    from: file,
    to: normalize(join(dirname(file), path)),
  }));
}

/** Every arrow between two entries of one folder, whether files or folders, by that folder. */
function arrowsByFolder(arrows: Arrow[]): Map<string, Map<string, Set<string>>> {
  const folders = new Map<string, Map<string, Set<string>>>();
  for (const { from, to } of arrows) {
    const [a, b] = [from.split('/'), to.split('/')];
    const at = a.findIndex((part, index) => part !== b[index]);
    const [one, other] = [a[at], b[at]];
    if (one === undefined || other === undefined) continue;
    const folder = a.slice(0, at).join('/') || '.';
    const entries = folders.get(folder) ?? new Map<string, Set<string>>();
    folders.set(folder, entries.set(one, (entries.get(one) ?? new Set()).add(other)));
  }
  return folders;
}

/** A way from an entry back to itself. */
function circleIn(entries: Map<string, Set<string>>): string[] | undefined {
  const done = new Set<string>();
  function walk(entry: string, way: string[]): string[] | undefined {
    if (way.includes(entry)) return [...way.slice(way.indexOf(entry)), entry];
    if (done.has(entry)) return undefined;
    for (const next of entries.get(entry) ?? []) {
      const circle = walk(next, [...way, entry]);
      if (circle) return circle;
    }
    done.add(entry);
    return undefined;
  }
  for (const entry of entries.keys()) {
    const circle = walk(entry, []);
    if (circle) return circle;
  }
  return undefined;
}

describe('imports', () => {
  const folders = arrowsByFolder(sources.flatMap(importsOf));
  for (const [folder, entries] of folders) {
    test(`the files and folders of ${folder} import one way`, () => {
      assert.deepEqual(circleIn(entries), undefined);
    });
  }

  test('a circle between two folders, and one by way of a third, would be found', () => {
    const arrow = (from: string, to: string): Arrow => ({ from, to });
    const two = arrowsByFolder([arrow('a/b/x.ts', 'a/c/y.ts'), arrow('a/c/z.ts', 'a/b/w.ts')]);
    assert.deepEqual(circleIn(two.get('a') ?? new Map()), ['b', 'c', 'b']);
    const three = arrowsByFolder([arrow('a/x.ts', 'b/y.ts'), arrow('b/y.ts', 'c/z.ts'), arrow('c/v.ts', 'a/w.ts')]);
    assert.deepEqual(circleIn(three.get('.') ?? new Map()), ['a', 'b', 'c', 'a']);
    assert.equal(circleIn(arrowsByFolder([arrow('a/x.ts', 'b/y.ts')]).get('.') ?? new Map()), undefined);
  });
});

describe('lines', () => {
  test(`no comment is wider than ${WIDEST} characters`, () => {
    const wide = sources.flatMap((file) =>
      readFileSync(join(ROOT, file), 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          /^\s*(\/\/|\/?\*)/.test(line) && line.length > WIDEST ? [`${file}:${index + 1}`] : [],
        ),
    );
    assert.deepEqual(wide, []);
  });
});

test('no workflow guards what was never released', () => {
  const guards = sources.filter((file) => /\bpatched\(|isPlanned/.test(readFileSync(join(ROOT, file), 'utf8')));
  assert.deepEqual(guards, []);
});

test('a restore is read on one page', () => {
  const lines = readFileSync(join(ROOT, 'workflows/restore/restore.ts'), 'utf8').split('\n').length;
  assert.ok(lines <= 150, `${lines} lines`);
});
