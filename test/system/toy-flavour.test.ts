/** A new flavour is two files and a name: a toy is added to a copy of the product, where nothing else is changed. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { traitsOf } from '../../domain/flavours/index.ts';
import { endStrays } from '../../playground/processes.ts';
import type { ToyOutcome } from '../support/toy-flavour/scenario.ts';

const ROOT = join(import.meta.dirname, '../..');
const PRODUCT = ['domain', 'adapters', 'activities', 'workflows', 'workers', 'client', 'cli', 'playground', 'tools'];
const COPIED = [...PRODUCT, 'test/support', 'tsconfig.json', 'package.json'];
const TABLES = ['domain/flavours/index.ts', 'adapters/flavours/index.ts'] as const;
const TOY = ['domain/flavours/toy.ts', 'adapters/flavours/toy.ts'] as const;
const SCENARIO_MS = 5 * 60_000;

let house: string;
let world: string;
before(async () => {
  house = await mkdtemp(join(tmpdir(), 'salvor-house-'));
  world = await mkdtemp(join(tmpdir(), 'salvor-toys-'));
  for (const name of COPIED) await cp(join(ROOT, name), join(house, name), { recursive: true });
  await symlink(await realpath(join(ROOT, 'node_modules')), join(house, 'node_modules'));
  // The rooms of the flavours alone are compiled in a second.
  await writeFile(join(house, 'tsconfig.rooms.json'), JSON.stringify({ extends: './tsconfig.json', include: TABLES }));
});
after(async () => {
  await endStrays(world, 0);
  for (const folder of [house, world]) await rm(folder, { recursive: true });
});

/** Puts one of the toy's files in its room, which lies one folder less deep than where it is kept. */
async function addFile(from: string, to: string): Promise<void> {
  const text = await readFile(join(ROOT, 'test/support/toy-flavour', from), 'utf8');
  await writeFile(join(house, to), text.replaceAll("'../../../", "'../../"));
}

/** Adds the toy to a table: one import and one entry. */
async function addName(table: string, value: string): Promise<void> {
  const lines = (await readFile(join(house, table), 'utf8')).split('\n');
  const lastImport = lines.findLastIndex((line) => line.startsWith('import '));
  lines.splice(lastImport + 1, 0, `import { ${value} } from './toy.ts';`);
  const end = lines.findIndex((line) => line.startsWith('} satisfies Record<'));
  lines.splice(end, 0, `  toy${value === 'toy' ? '' : `: ${value}`},`);
  await writeFile(join(house, table), lines.join('\n'));
}

/** What the compiler has to say; nothing when it is content. */
async function compile(project: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const options = { cwd: house, maxBuffer: 16 * 1024 * 1024 };
  return await promisify(execFile)(tsc, ['-p', project], options).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)),
  );
}

/** The files of the product in a folder, with their texts. */
async function productIn(root: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const folder of PRODUCT) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) files.set(relative(root, path), await readFile(path, 'utf8'));
    }
  }
  return files;
}

test('the compiler asks for every trait of a flavour, and for what is done on its nodes', async () => {
  await addFile('domain.ts', TOY[0]);
  await addName(TABLES[0], 'toy');
  const text = await readFile(join(house, TOY[0]), 'utf8');
  const traits = [...text.matchAll(/^ {2}(\w+): /gm)].map(([, name = '']) => name);
  assert.deepEqual(traits, Object.keys(traitsOf('etcd')));
  const without = (name: string) => `{ const { ${name}, ...rest } = toy; const lacking: Traits = rest; }`;
  await writeFile(join(house, TOY[0]), [text, ...traits.map(without)].join('\n'));
  const said = await compile('tsconfig.rooms.json');
  await writeFile(join(house, TOY[0]), text);
  for (const name of traits) {
    assert.match(
      said,
      new RegExp(`domain/flavours/toy\\.ts.*: Property '${name}' is missing .* required in type 'Traits'`),
    );
  }
  assert.match(said, /adapters\/flavours\/index\.ts.*: Property 'toy' is missing/);
});

test('with two files and its name in both tables it compiles, and no other file of the product differs', async () => {
  await addFile('adapter.ts', TOY[1]);
  await addName(TABLES[1], 'toyNode');
  assert.equal(await compile('tsconfig.json'), '');
  const [old, now] = await Promise.all([productIn(ROOT), productIn(house)]);
  const changed = [...now].filter(([path, text]) => old.get(path) !== text).map(([path]) => path);
  assert.deepEqual(changed.sort(), [...TABLES, ...TOY].sort());
  assert.deepEqual(
    [...old.keys()].filter((path) => !now.has(path)),
    [],
  );
  for (const table of TABLES) {
    const lines = now.get(table)?.split('\n') ?? [];
    const added = lines.filter((line) => /\btoy/.test(line));
    assert.equal(added.length, 2, table);
    assert.equal(lines.filter((line) => !added.includes(line)).join('\n'), old.get(table));
  }
});

test('its etcd is backed up and restored, as its traits say', async () => {
  const file = join(world, 'outcome.json');
  const argv = [join(house, 'test/support/toy-flavour/scenario.ts'), world, file];
  await promisify(execFile)(process.execPath, argv, {
    cwd: house,
    timeout: SCENARIO_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
  const { refused, backup, restore, before, after } = JSON.parse(await readFile(file, 'utf8')) as ToyOutcome;
  assert.equal(backup.state, 'complete');
  assert.equal(restore.outcome, 'restored');
  assert.equal(before.length, 3);
  for (const keys of before) assert.deepEqual(keys, { '/registry/kept': 'of the backup' });
  assert.deepEqual(after, before);

  assert.match(refused, /m\d: .*\.run changed at .* a rollout is in progress/);
  const kept = backup.artifacts.filter(({ kind }) => kind === 'static-resources');
  assert.equal(kept.length, 3, 'the paths of its traits are kept of every node');
  const starts = restore.steps.filter(({ name }) => name === 'Start etcd');
  assert.equal(starts.length, 3);
  for (const [index, { startedAt }] of starts.entries()) {
    const earlier = starts[index - 1];
    if (earlier === undefined) continue;
    const endedMs = Date.parse(earlier.startedAt ?? '') + (earlier.durationMs ?? 0);
    assert.ok(Date.parse(startedAt ?? '') >= endedMs, 'they are started one after the other');
  }
});
