import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sumOf } from '../../../adapters/binaries/checksums.ts';
import { describeProgress } from '../../../adapters/binaries/download.ts';
import { mirrored } from '../../../adapters/binaries/release.ts';

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

describe('a checksum file', () => {
  it('gives the sum of the file that is asked for, and of no other', () => {
    const checksums = `${A}  etcd-v3.6.16-linux-amd64.tar.gz.asc\n${B}  etcd-v3.6.16-linux-amd64.tar.gz\n`;
    assert.equal(sumOf('etcd-v3.6.16-linux-amd64.tar.gz', checksums), B);
    assert.equal(sumOf('etcd', checksums), undefined);
  });

  it('may mark files as binary, and write sums in capitals', () => {
    assert.equal(sumOf('temporal.tar.gz', `${A.toUpperCase()} *temporal.tar.gz\r\n`), A);
  });

  it('may be a sum alone', () => {
    assert.equal(sumOf('kubectl', `${A}\n`), A);
  });

  it('gives nothing when it is something else, such as the login page of a proxy', () => {
    assert.equal(sumOf('kubectl', `<html>${A}</html>`), undefined);
    assert.equal(sumOf('kubectl', `${A}\n${B}\n`), undefined);
    assert.equal(sumOf('kubectl', ''), undefined);
  });
});

it('a mirror holds what it mirrors under the name of the host', () => {
  const url = 'https://dl.k8s.io/release/v1.34.4/bin/linux/amd64/kubectl';
  assert.equal(
    mirrored(url, 'https://mirror.example.com/salvor'),
    'https://mirror.example.com/salvor/dl.k8s.io/release/v1.34.4/bin/linux/amd64/kubectl',
  );
  assert.equal(mirrored(url, undefined), url);
});

it('progress is in MiB, and in percent when the total is known', () => {
  assert.equal(describeProgress(12_340_000, 45_600_000), '11.8 MiB of 43.5 MiB (27 %)');
  assert.equal(describeProgress(12_340_000, Number.NaN), '11.8 MiB');
});
