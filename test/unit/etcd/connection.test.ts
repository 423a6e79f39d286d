import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openMember } from '../../../adapters/etcd/client.ts';
import { addressOf } from '../../../adapters/etcd/connection.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
});
after(async () => {
  await rm(directory, { recursive: true });
});

for (const [url, address] of [
  ['https://10.0.0.1:2379', '10.0.0.1:2379'],
  ['http://etcd.example.com', 'etcd.example.com:2379'],
  ['https://[fd00::1]:12379', '[fd00::1]:12379'],
  ['https://[fd00::1]', '[fd00::1]:2379'],
] as const) {
  test(`${url} is reached at ${address}`, () => {
    assert.equal(addressOf(url), address);
  });
}

test('a certificate that is not there is named with its path', async () => {
  const missing = join(directory, 'ca.crt');
  const tls = { ca: missing, cert: missing, key: missing };
  await assert.rejects(openMember({ node: 'm1', clientUrl: 'https://127.0.0.1:2379', tls }), {
    type: 'InvalidConfiguration',
    message: new RegExp(`for node m1 at ${missing}`),
  });
});

test('a file that holds no certificate is refused before anything is sent', async () => {
  const file = join(directory, 'not-a-certificate');
  await writeFile(file, 'hello');
  await assert.rejects(
    openMember({ node: 'm1', clientUrl: 'https://127.0.0.1:2379', tls: { ca: file, cert: file, key: file } }),
    { type: 'InvalidConfiguration', message: /expected PEM files/ },
  );
});
