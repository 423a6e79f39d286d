/**
 * The lint rules that hold the layout together are shown to fail: one small bad file each, and good ones beside them.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '../..');

const IMPORTS = 'eslint(no-restricted-imports)';
const FLOATING = 'typescript(no-floating-promises)';
const SWITCH = 'typescript(switch-exhaustiveness-check)';

/** A value and a type to import from everywhere. */
const MODULE = 'export const value: number = 1;\nexport type Shape = { size: number };\n';
const MODULES = [
  'domain/rule.ts',
  'domain/format/manifest.ts',
  'domain/configuration/schema.ts',
  'adapters/stores/store.ts',
  'activities/stores.ts',
  'workflows/backup.ts',
  'workers/worker.ts',
  'client/client.ts',
  'cli/command.ts',
  'tools/provide.ts',
  'playground/demo.ts',
  'bench/run.ts',
  'test/support/world.ts',
];

function takes(what: string): string {
  return `import { value } from '${what}';\nexport const size: number = value;\n`;
}
function takesType(what: string): string {
  return `import type { Shape } from '${what}';\nexport const shape: Shape = { size: 1 };\n`;
}

const FORBIDDEN: { file: string; says: string; rule: string; text: string }[] = [
  ...[
    ['domain/bad-adapters.ts', '../adapters/stores/store.ts'],
    ['domain/configuration/bad-adapters.ts', '../../adapters/stores/store.ts'],
    ['domain/bad-tools.ts', '../tools/provide.ts'],
    ['domain/bad-node.ts', 'node:fs'],
    ['domain/bad-temporal.ts', '@temporalio/common'],
    ['domain/bad-etcd.ts', 'etcd3'],
    ['adapters/bad-tools.ts', '../tools/provide.ts'],
    ['tools/bad-activities.ts', '../activities/stores.ts'],
    ['tools/bad-playground.ts', '../playground/demo.ts'],
    ['adapters/bad-activities.ts', '../activities/stores.ts'],
    ['adapters/stores/bad-workers.ts', '../../workers/worker.ts'],
    ['adapters/stores/bad-temporal.ts', '@temporalio/activity'],
    ['activities/bad-workflows.ts', '../workflows/backup.ts'],
    ['activities/bad-client.ts', '../client/client.ts'],
    ['workflows/bad-adapters.ts', '../adapters/stores/store.ts'],
    ['workflows/bad-activities.ts', '../activities/stores.ts'],
    ['workflows/bad-manifest.ts', '../domain/format/manifest.ts'],
    ['workflows/bad-configuration.ts', '../domain/configuration/schema.ts'],
    ['workflows/bad-node.ts', 'node:fs'],
    ['workflows/bad-bare-node.ts', 'fs'],
    ['workflows/bad-sdk.ts', '@temporalio/client'],
    ['workflows/bad-temporal.ts', '@temporalio/workflow'],
    ['workflows/restore/bad-temporal.ts', '@temporalio/common'],
    ['workflows/kit/bad-sdk.ts', '@temporalio/client'],
    ['workflows/kit/bad-adapters.ts', '../../adapters/stores/store.ts'],
    ['workflows/bad-zod.ts', 'zod'],
    ['workflows/parts/bad-adapters.ts', '../../adapters/stores/store.ts'],
    ['workers/bad-client.ts', '../client/client.ts'],
    ['workers/bad-cli.ts', '../cli/command.ts'],
    ['workers/bad-tools.ts', '../tools/provide.ts'],
    ['client/bad-workflows.ts', '../workflows/backup.ts'],
    ['client/bad-adapters.ts', '../adapters/stores/store.ts'],
    ['client/bad-workers.ts', '../workers/worker.ts'],
    ['client/bad-tools.ts', '../tools/provide.ts'],
    ['client/bad-cli.ts', '../cli/command.ts'],
    ['client/schedules/bad-adapters.ts', '../../adapters/stores/store.ts'],
    ['cli/bad-workflows.ts', '../workflows/backup.ts'],
    ['cli/bad-tools.ts', '../tools/provide.ts'],
    ['cli/bad-test.ts', '../test/support/world.ts'],
    ['playground/bad-cli.ts', '../cli/command.ts'],
    ['playground/bad-test.ts', '../test/support/world.ts'],
  ].map(([file = '', what = '']) => ({ file, says: `importing ${what}`, rule: IMPORTS, text: takes(what) })),
  {
    file: 'adapters/bad-floating.ts',
    says: 'a promise that nobody waits for',
    rule: FLOATING,
    text: 'export function save(): void {\n  Promise.resolve(1);\n}\n',
  },
  {
    file: 'activities/bad-floating.ts',
    says: 'an async function that is called and forgotten',
    rule: FLOATING,
    text: 'async function upload(): Promise<void> {\n  await Promise.resolve();\n}\nexport function save(): void {\n  upload();\n}\n',
  },
  {
    file: 'adapters/bad-misused.ts',
    says: 'a promise taken for a condition',
    rule: 'typescript(no-misused-promises)',
    text: 'async function exists(): Promise<boolean> {\n  return Promise.resolve(true);\n}\nexport function check(): number {\n  if (exists()) return 1;\n  return 0;\n}\n',
  },
  {
    file: 'adapters/bad-return.ts',
    says: 'a promise that leaves a try block before it fails',
    rule: 'typescript(return-await)',
    text: 'async function read(): Promise<number> {\n  return Promise.resolve(1);\n}\nexport async function safe(): Promise<number> {\n  try {\n    return read();\n  } catch {\n    return 0;\n  }\n}\n',
  },
  {
    file: 'domain/bad-switch.ts',
    says: 'a switch that forgets one of the values',
    rule: SWITCH,
    text: "export function rank(state: 'complete' | 'degraded' | 'broken'): number {\n  switch (state) {\n    case 'complete':\n      return 0;\n    case 'degraded':\n      return 1;\n  }\n  return 2;\n}\n",
  },
  {
    file: 'adapters/bad-any.ts',
    says: 'any',
    rule: 'typescript(no-explicit-any)',
    text: 'export function read(value: any): string {\n  return String(value);\n}\n',
  },
  {
    file: 'adapters/bad-environment.ts',
    says: 'process.env outside adapters/environment.ts',
    rule: 'node(no-process-env)',
    text: 'export const home: string | undefined = process.env["HOME"];\n',
  },
];

const ALLOWED: { file: string; text: string }[] = [
  ...[
    ['adapters/good-domain.ts', '../domain/format/manifest.ts'],
    ['adapters/stores/good-sibling.ts', './store.ts'],
    ['tools/good-domain.ts', '../domain/rule.ts'],
    ['tools/good-adapters.ts', '../adapters/stores/store.ts'],
    ['activities/good-adapters.ts', '../adapters/stores/store.ts'],
    ['workflows/good-domain.ts', '../domain/rule.ts'],
    ['workflows/kit/good-temporal.ts', '@temporalio/workflow'],
    ['workers/good-activities.ts', '../activities/stores.ts'],
    ['workers/good-workflows.ts', '../workflows/backup.ts'],
    ['client/good-domain.ts', '../domain/rule.ts'],
    ['cli/good-client.ts', '../client/client.ts'],
    ['cli/good-adapters.ts', '../adapters/stores/store.ts'],
    ['cli/good-workers.ts', '../workers/worker.ts'],
    ['cli/good-playground.ts', '../playground/demo.ts'],
    ['test/good-anything.ts', '../client/client.ts'],
  ].map(([file = '', what = '']) => ({ file, text: takes(what) })),
  ...[
    ['workflows/good-activities.ts', '../activities/stores.ts'],
    ['workflows/good-manifest.ts', '../domain/format/manifest.ts'],
    ['client/good-workflows.ts', '../workflows/backup.ts'],
    ['cli/good-workflows.ts', '../workflows/backup.ts'],
  ].map(([file = '', what = '']) => ({ file, text: takesType(what) })),
  {
    file: 'domain/good-switch.ts',
    text: "export function rank(state: 'complete' | 'broken'): number {\n  switch (state) {\n    case 'complete':\n      return 0;\n    case 'broken':\n      return 1;\n  }\n}\n",
  },
  {
    file: 'adapters/good-promise.ts',
    text: 'export async function save(): Promise<void> {\n  await Promise.resolve(1);\n}\n',
  },
];

const outputSchema = z.object({ diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })) });

describe('lint', () => {
  let folder = '';
  /** The rules that were broken, by file. */
  const broken = new Map<string, string[]>();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'salvor-lint-'));
    for (const { file, text } of [...MODULES.map((name) => ({ file: name, text: MODULE })), ...FORBIDDEN, ...ALLOWED]) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
    for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) {
      await copyFile(join(ROOT, file), join(folder, file));
    }
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    // oxlint exits 1 when it finds something, which is what is wanted here.
    const stdout = await new Promise<string>((resolve) => {
      const oxlint = join(ROOT, 'node_modules/oxlint/bin/oxlint');
      execFile(
        process.execPath,
        [oxlint, '--format', 'json'],
        { cwd: folder, maxBuffer: 16 << 20 },
        (_error, text, stderr) => {
          resolve(text === '' ? stderr : text);
        },
      );
    });
    for (const { filename, code } of outputSchema.parse(JSON.parse(stdout)).diagnostics) {
      broken.set(filename, [...(broken.get(filename) ?? []), code]);
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const { file, says, rule } of FORBIDDEN) {
    test(`refuses ${says} in ${dirname(file)} (${file})`, () => {
      assert.ok(broken.get(file)?.includes(rule), `expected ${rule}, got ${broken.get(file)?.join(', ') ?? 'nothing'}`);
    });
  }
  for (const { file } of ALLOWED) {
    test(`lets ${file} pass`, () => assert.deepEqual(broken.get(file), undefined));
  }
});
