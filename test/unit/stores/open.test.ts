import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readSecret } from '../../../adapters/secrets.ts';
import { openStore } from '../../../adapters/stores/types.ts';
import { environmentVariable } from '../../../adapters/environment.ts';
import { isFailure } from '../../support/store-contract.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'salvor-secrets-'));
});
after(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<{ file: string }> {
  const path = join(folder, name);
  await writeFile(path, text);
  return { file: path };
}

test('a secret is the value of a variable, or a file without the line break at its end', async () => {
  assert.equal(await readSecret({ env: 'PATH' }), environmentVariable('PATH'));
  assert.equal(await readSecret(await file('a', 'se cret\n')), 'se cret');
  assert.equal(await readSecret(await file('b', 'secret\r\n')), 'secret');
  assert.equal(await readSecret(await file('c', 'two\n\n')), 'two\n');
});

test('a secret that is not there is named by its reference', async () => {
  const unset = readSecret({ env: 'SALVOR_TEST_NEVER_SET' });
  await assert.rejects(unset, isFailure('InvalidConfiguration', /variable SALVOR_TEST_NEVER_SET is not set/));
  const missing = readSecret({ file: join(folder, 'missing') });
  await assert.rejects(missing, isFailure('InvalidConfiguration', /file .*missing can't be read: ENOENT/));
  await assert.rejects(readSecret(await file('empty', '\n')), isFailure('InvalidConfiguration', /empty is empty/));
});

test('a store is opened without being reached, and takes the kinds that it holds', async () => {
  const store = await openStore({ name: 'vault', type: 'filesystem', path: '/nowhere', holds: ['static-resources'] });
  assert.deepEqual([store.holds('snapshot'), store.holds('static-resources')], [false, true]);
  const s3 = { name: 'offsite', type: 's3', bucket: 'backups', region: 'us-east-1', pathStyle: false } as const;
  const offsite = await openStore(s3);
  assert.equal(offsite.location, 's3://backups/');
  offsite.close();
  const ca = join(folder, 'no-ca.pem');
  await assert.rejects(openStore({ ...s3, ca }), isFailure('InvalidConfiguration', /no-ca\.pem can't be read/));
});
