/** What the documentation says is held against the code. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { parseConfiguration } from '../../domain/configuration/resolve.ts';
import { configurationJsonSchema } from '../../domain/configuration/schema.ts';
import { FAILURES } from '../../domain/errors.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCS = (await readdir(join(ROOT, 'docs'), { recursive: true }))
  .filter((file) => file.endsWith('.md'))
  .map((file) => join('docs', file));
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...DOCS];

function read(file: string): Promise<string> {
  return readFile(join(ROOT, file), 'utf8');
}

/** The names of all fields in a JSON schema. */
function fieldNames(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    const own = key === 'properties' && typeof value === 'object' && value !== null ? Object.keys(value) : [];
    return [...own, ...fieldNames(value)];
  });
}

describe('configurations in the documentation', () => {
  for (const page of PAGES) {
    test(`those of ${page} are valid`, async () => {
      for (const [, text = ''] of (await read(page)).matchAll(/```yaml\n(.*?)```/gs)) {
        if (/^clusters:/m.test(text)) parseConfiguration(parse(text), page);
      }
    });
  }

  test('the one that docker-compose.yml gives its worker is valid', async () => {
    const file = 'deploy/example/salvor.yaml';
    parseConfiguration(parse(await read(file)), file);
  });

  test('the reference names every field', async () => {
    const reference = await read('docs/reference/configuration.md');
    const missing = fieldNames(configurationJsonSchema()).filter(
      (name) => !new RegExp(`\\b${name}\\b`).test(reference),
    );
    assert.deepEqual(missing, []);
  });
});

describe('the reference of failures', () => {
  for (const [type, { exit, retryable, act }] of Object.entries(FAILURES)) {
    test(`tells what ${type} means`, async () => {
      const reference = (await read('docs/reference/exit-codes.md')).replaceAll(/ +/g, ' ');
      const row = `| \`${type}\` | ${exit} | ${retryable ? 'yes' : 'no'} | ${act} |`;
      assert.ok(reference.includes(row), `expected this row in docs/reference/exit-codes.md: ${row}`);
    });
  }
});

describe('links', () => {
  for (const page of PAGES) {
    test(`those of ${page} lead somewhere`, async () => {
      for (const [, target = ''] of (await read(page)).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        await assert.doesNotReject(readFile(join(ROOT, dirname(page), target)).catch(ignoreDirectory), target);
      }
    });
  }
});

function ignoreDirectory(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EISDIR') throw error;
}
