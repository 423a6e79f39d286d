import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { artifactOf, formatManifest, type Manifest, parseManifest } from '../../../domain/manifest.ts';
import { formatVerified, parseVerified, type Verified } from '../../../domain/verified.ts';
import { isFailure } from '../../support/store-contract.ts';

const SHA256 = 'ab'.repeat(32);
const DIGEST = { bytes: 4096, sha256: SHA256 };
const MANIFEST: Manifest = {
  formatVersion: 1,
  salvor: '0.1.0',
  backup: '20260304-050607',
  cluster: 'prod',
  flavour: 'kubeadm',
  node: { name: 'm1', address: '10.0.0.1' },
  takenAt: '2026-03-04T05:06:07.123Z',
  etcd: {
    version: '3.6.16',
    clusterId: '14841639068965178418',
    memberId: '10276657743932975437',
    revision: '9007199254740993',
    totalKeys: 12,
    hashKv: { revision: '9007199254740993', compactRevision: '5', hash: '12345' },
    members: [{ id: '1', name: 'm1', peerUrls: ['https://10.0.0.1:2380'], learner: false }],
  },
  kubernetes: { version: 'v1.34.4' },
  recipients: ['age1xyz'],
  intendedStores: [{ store: 'local', kinds: ['snapshot'] }],
  artifacts: [
    {
      kind: 'snapshot',
      key: 'k',
      compression: 'zstd',
      encrypted: true,
      content: DIGEST,
      stored: DIGEST,
      stores: ['local'],
    },
  ],
};
const VERIFIED: Verified = {
  formatVersion: 1,
  backup: '20260304-050607',
  cluster: 'prod',
  node: { address: '10.0.0.1' },
  verifiedAt: '2026-03-04T05:06:07Z',
  proof: 'restored',
  store: 'local',
  checks: [{ name: 'keys', ok: true, seen: '12' }],
  durationMs: 1234.5,
};
const WHERE = 'prod/10.0.0.1/backup.json in store "local"';

describe('A manifest', () => {
  test('is read as it was written, 64-bit numbers to the last digit', () => {
    assert.deepEqual(parseManifest(formatManifest(MANIFEST), WHERE), MANIFEST);
    assert.equal(artifactOf(MANIFEST, 'snapshot')?.key, 'k');
    assert.equal(artifactOf(MANIFEST, 'resources'), undefined);
  });

  test('that is cut off is told as damaged, with its place', () => {
    const text = formatManifest(MANIFEST);
    assert.throws(
      () => parseManifest(text.slice(0, 100), WHERE),
      isFailure('BackupCorrupt', /store "local" is not JSON/),
    );
    assert.throws(() => parseManifest('', WHERE), isFailure('BackupCorrupt', /not JSON/));
  });

  for (const [what, change, message] of [
    ['another format', { formatVersion: 2 }, /formatVersion/],
    ['a field that is not known', { surprise: 1 }, /surprise/],
    ['a time that is none', { backup: '20260230-000000' }, /backup: expected YYYYmmdd-HHMMSS/],
    ['a revision as a number', { etcd: { ...MANIFEST.etcd, revision: 5 } }, /etcd\.revision/],
    ['no artifacts', { artifacts: [] }, /artifacts/],
    [
      'a hash that is none',
      { artifacts: [{ ...MANIFEST.artifacts[0], stored: { bytes: 1, sha256: 'AB' } }] },
      /artifacts\.0\.stored\.sha256: expected a SHA-256/,
    ],
    ['an artifact in no store', { artifacts: [{ ...MANIFEST.artifacts[0], stores: [] }] }, /artifacts\.0\.stores/],
  ] as const) {
    test(`with ${what} is refused, and the field is named`, () => {
      const text = JSON.stringify({ ...MANIFEST, ...change });
      assert.throws(() => parseManifest(text, WHERE), isFailure('BackupCorrupt', message));
    });
  }
});

describe('A drill’s result', () => {
  test('is read as it was written', () => assert.deepEqual(parseVerified(formatVerified(VERIFIED), WHERE), VERIFIED));

  test('that is damaged is refused with its place and fields', () => {
    assert.throws(() => parseVerified('{', WHERE), isFailure('BackupCorrupt', /store "local" is not JSON/));
    const wrong = JSON.stringify({ ...VERIFIED, proof: 'sworn' });
    assert.throws(() => parseVerified(wrong, WHERE), isFailure('BackupCorrupt', /proof/));
  });
});
