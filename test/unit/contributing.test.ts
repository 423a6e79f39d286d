/** What CONTRIBUTING.md says to write is held against the tree: a file that is renamed or missing fails here. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { storeSchema } from '../../domain/configuration/stores.ts';
import { FLAVOUR_NAMES } from '../../domain/flavours/index.ts';
import { OPERATIONS } from '../../domain/operations/index.ts';

const ROOT = join(import.meta.dirname, '../..');

/**
 * What there is of each kind today, as its files are named: each must have every file that a new one is told to have.
 */
const KINDS: Record<string, readonly string[]> = {
  flavour: FLAVOUR_NAMES,
  operation: Object.keys(OPERATIONS).map((name) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)),
  store: storeSchema.options.map(({ shape }) => shape.type.value),
};

/** Files that one flavour uses of another. */
const SHARED: Record<string, string> = { 'adapters/flavours/etcd.ts': 'adapters/flavours/services.ts' };

/** The sections that list files to write, each with the paths that it must at least name. */
const SECTIONS: Record<string, readonly string[]> = {
  'A new flavour': ['domain/flavours/<flavour>.ts', 'adapters/flavours/<flavour>.ts'],
  'A new operation': ['domain/operations/<operation>.ts', 'workflows/<subject>/<operation>.ts', 'cli/reports.ts'],
  'A new store': ['adapters/stores/<store>/store.ts', 'domain/configuration/stores.ts'],
  'A new kind of artifact': ['domain/format/keys.ts'],
};

const page = await readFile(join(ROOT, 'CONTRIBUTING.md'), 'utf8');

/** The text under a heading, up to the next one. */
function sectionOf(title: string): string {
  const [, section] = page.split(`\n## ${title}\n`);
  assert.ok(section !== undefined, `CONTRIBUTING.md has no section "${title}"`);
  return section.split('\n## ')[0] ?? '';
}

/**
 * The paths among the code spans of a text: a folder ends with "/", a file with its extension. Package names are none.
 */
function pathsIn(text: string): string[] {
  const spans = [...text.matchAll(/`([^`\s]+)`/g)].map(([, span = '']) => span);
  return [...new Set(spans)].filter((span) => /^[\w.<][\w./<>-]*(?:\/|\.(?:ts|md|json))$/.test(span));
}

/**
 * Globs of the files that a path with placeholders stands for: one for each flavour, operation or store, else one for
 * any name.
 */
function globsOf(path: string): string[] {
  const kind = Object.keys(KINDS).find((name) => path.includes(`<${name}>`));
  const named = kind === undefined ? [path] : (KINDS[kind] ?? []).map((name) => path.replace(`<${kind}>`, name));
  return named
    .map((one) => SHARED[one] ?? one)
    .map((one) => one.replaceAll(/<\w+>\//g, '**/').replaceAll(/<\w+>/g, '*'));
}

describe('CONTRIBUTING.md', () => {
  test('names files and folders that exist', async () => {
    const paths = pathsIn(page).filter((path) => !path.includes('<'));
    assert.ok(paths.length > 50, `expected the layout's folders and files, found ${paths.length} paths`);
    const there = await Promise.all(
      paths.map((path) =>
        stat(join(ROOT, path)).then(
          (found) => found.isDirectory() === path.endsWith('/'),
          () => false,
        ),
      ),
    );
    assert.deepEqual(
      paths.filter((_, index) => !there[index]),
      [],
    );
  });

  test('names every folder of the layers', () => {
    const folders = globSync('{domain,adapters,workflows}/*/', { cwd: ROOT });
    assert.ok(folders.length > 20, `expected the folders of the layers, found ${folders.join(', ')}`);
    const paths = pathsIn(page);
    assert.deepEqual(
      folders.filter((folder) => !paths.includes(`${folder}/`)),
      [],
    );
  });

  test('knows every flavour, operation and store', () => {
    for (const [kind, names] of Object.entries(KINDS)) assert.ok(names.length > 1, `no list of each ${kind}`);
  });

  for (const [title, wanted] of Object.entries(SECTIONS)) {
    test(`"${title}" names files that each one of today has`, () => {
      const paths = pathsIn(sectionOf(title));
      assert.deepEqual(
        wanted.filter((path) => !paths.includes(path)),
        [],
      );
      const patterns = paths.filter((path) => path.includes('<')).flatMap(globsOf);
      const missing = patterns.filter((pattern) => globSync(pattern, { cwd: ROOT }).length === 0);
      assert.deepEqual(missing, []);
    });
  }
});
