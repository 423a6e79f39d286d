/**
 * The compiler asks for what an operation lacks: a copy of the product with one fault of each kind does not compile.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

const FAULTS = [
  {
    says: 'an operation without a workflow and without a presentation',
    file: 'domain/operations/index.ts',
    from: '  pin: PIN,\n',
    to: '  pin: PIN,\n  polish: PIN,\n',
    errors: [/^workflows\/index\.ts.*\n.*'polish' is missing/m, /^cli\/reports\.ts.*'polish' is missing/m],
  },
  {
    says: 'a step that no operation has',
    file: 'workflows/stores/heal.ts',
    from: "'Find what the stores lack'",
    to: "'Find what the stores lacks'",
    errors: [/^workflows\/stores\/heal\.ts.*'"Find what the stores lacks"' is not assignable/m],
  },
  {
    says: 'a field of an input that nothing checks',
    file: 'domain/operations/prune.ts',
    from: 'dryRun: isBoolean, ',
    to: '',
    errors: [/^domain\/operations\/prune\.ts.*'dryRun' is missing/m],
  },
  {
    says: 'a workflow that holds the cluster for an operation that only looks',
    file: 'workflows/stores/pin.ts',
    from: "holdingCluster(cluster.name, 'pin'",
    to: "holdingCluster(cluster.name, 'listBackups'",
    errors: [/^workflows\/stores\/pin\.ts.*'"listBackups"' is not assignable/m],
  },
];

describe('does not compile', () => {
  let folder = '';
  let output = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'salvor-compile-'));
    for (const name of ['domain', 'adapters', 'activities', 'workflows', 'client', 'cli', 'package.json']) {
      await cp(join(ROOT, name), join(folder, name), { recursive: true });
    }
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const tsconfig = { extends: join(ROOT, 'tsconfig.json'), include: ['domain', 'workflows', 'cli/reports.ts'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
    for (const { file, from, to } of FAULTS) {
      const text = await readFile(join(folder, file), 'utf8');
      assert.ok(text.includes(from), `${file} has no ${JSON.stringify(from)}`);
      await writeFile(join(folder, file), text.replace(from, to));
    }
    output = await new Promise<string>((resolve) => {
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      execFile(process.execPath, [tsc, '-p', folder], { cwd: folder, maxBuffer: 16 << 20 }, (_error, text, stderr) =>
        resolve(text || stderr),
      );
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const { says, errors } of FAULTS) {
    test(says, () => {
      for (const error of errors) assert.match(output, error);
    });
  }
});
