import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { provideCertificates } from '../../../playground/certificates.ts';
import { newState, pathsOf } from '../../../playground/state.ts';

test('certificates are of one authority, for the right hosts, with keys that only their owner can read', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'salvor-certificates-'));
  try {
    const paths = pathsOf(directory);
    const state = await newState(directory, true);
    await provideCertificates(paths, state);
    const read = async (name: string): Promise<X509Certificate> => {
      return new X509Certificate(await readFile(paths.certificate(name)));
    };
    const ca = await read('ca');
    assert.ok(ca.ca);
    for (const name of ['etcd-m1', 'etcd-m2', 'etcd-m3', 'etcd-client', 'kube-apiserver', 'admin']) {
      const certificate = await read(name);
      assert.ok(certificate.checkIssued(ca), name);
      assert.ok(certificate.verify(ca.publicKey), name);
      assert.ok(certificate.checkPrivateKey(createPrivateKey(await readFile(paths.key(name)))), name);
      assert.equal((await stat(paths.key(name))).mode & 0o777, 0o600);
    }
    for (const [index, { address }] of state.nodes.entries()) {
      assert.equal((await read(`etcd-m${index + 1}`)).checkIP(address), address);
      assert.equal((await read('kube-apiserver')).checkIP(address), address);
    }
    assert.match((await read('admin')).subject, /O=system:masters/);

    const before = (await read('ca')).fingerprint256;
    await provideCertificates(paths, state);
    assert.equal((await read('ca')).fingerprint256, before, 'made again, though they were there');
    assert.deepEqual(await readdir(directory), ['certificates']);
  } finally {
    await rm(directory, { recursive: true });
  }
});
