import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { artifactOf, formatManifest, type Manifest, parseManifest } from '../../../domain/format/manifest.ts';
import { manifestKey } from '../../../domain/format/keys.ts';
import { inItsPlace } from '../../../domain/format/sealed.ts';
import { formatVerified, parseVerified, type Verified, withEarlierFailures } from '../../../domain/format/verified.ts';
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

  test('of which any field is changed, added or taken away is told as changed, with both digests', () => {
    const text = formatManifest(MANIFEST);
    for (const edited of edits(JSON.parse(text))) {
      assert.throws(
        () => parseManifest(JSON.stringify(edited), WHERE),
        isFailure('BackupCorrupt', /digest says SHA-256 \w+, its content has \w+|is not a manifest of format 1/),
        JSON.stringify(edited),
      );
    }
    const lower = text.replace(SHA256, 'cd'.repeat(32));
    assert.throws(() => parseManifest(lower, WHERE), isFailure('BackupCorrupt', /store "local" was changed after/));
  });

  test('says the same when only its layout is changed: spaces, line ends, the order of its fields', () => {
    const content = JSON.parse(formatManifest(MANIFEST)) as Record<string, unknown>;
    const backwards = Object.fromEntries(Object.entries(content).toReversed());
    for (const text of [JSON.stringify(content), JSON.stringify(backwards, null, '\t').replaceAll('\n', '\r\n')]) {
      assert.deepEqual(parseManifest(text, WHERE), MANIFEST);
    }
  });

  test('has a digest that can be computed without Salvor: of its fields in order, on one line', () => {
    const { digest } = JSON.parse(formatManifest({ ...MANIFEST, etcd: { ...MANIFEST.etcd, members: [] } })) as {
      digest: string;
    };
    // As `jq -cS 'del(.digest)' | sha256sum` prints it.
    assert.equal(digest, 'dd9ec572e9b711f5934855ac8fa922bd35091289c1a9d57f995717ba8c2bde58');
  });

  test('lies where its backup belongs, and nowhere else', () => {
    const own = manifestKey('prod', '10.0.0.1', '20260304-050607');
    assert.equal(inItsPlace(MANIFEST, own, WHERE), MANIFEST);
    for (const key of [
      manifestKey('prod', '10.0.0.1', '20260304-050608'),
      manifestKey('prod', '10.0.0.2', '20260304-050607'),
      manifestKey('test', '10.0.0.1', '20260304-050607'),
      'elsewhere',
    ]) {
      assert.throws(
        () => inItsPlace(MANIFEST, key, WHERE),
        isFailure('BackupCorrupt', /belongs to another backup: .* of prod/),
      );
    }
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

/** The value with one thing changed, for every thing in it. */
function* edits(value: unknown): Generator {
  if (typeof value === 'string') yield `${value}0`;
  else if (typeof value === 'number') yield value + 1;
  else if (typeof value === 'boolean') yield !value;
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      yield value.toSpliced(index, 1);
      for (const edited of edits(item)) yield value.with(index, edited);
    }
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, surprise: 1 };
    for (const [name, item] of Object.entries(value)) {
      yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
      for (const edited of edits(item)) yield { ...value, [name]: edited };
    }
  }
}

describe('A drill’s result', () => {
  test('is read as it was written', () => assert.deepEqual(parseVerified(formatVerified(VERIFIED), WHERE), VERIFIED));

  test('of one store alone does not hide what an earlier drill found wrong in another', () => {
    const bad = { name: 'snapshot in local', ok: false, seen: 'other bytes' };
    const good = { name: 'snapshot in offsite', ok: true, seen: '12 bytes' };
    const earlier: Verified = { ...VERIFIED, proof: 'written', checks: [bad, good] };
    const now: Verified = { ...VERIFIED, proof: 'served', checks: [good] };
    const merged = withEarlierFailures(now, earlier, ['local']);
    assert.deepEqual([merged.proof, merged.checks], ['written', [good, bad]]);
    // Looked at again, or not of any store that there still is.
    assert.equal(withEarlierFailures(now, earlier, ['offsite']), now);
    assert.equal(withEarlierFailures(now, undefined, ['local']), now);
    // A store that was only away says nothing against the backup.
    const away = withEarlierFailures(now, { ...earlier, proof: 'restored' }, ['local']);
    assert.deepEqual([away.proof, away.checks], ['served', [good, bad]]);
  });

  test('that is damaged is refused with its place and fields', () => {
    assert.throws(() => parseVerified('{', WHERE), isFailure('BackupCorrupt', /store "local" is not JSON/));
    const wrong = JSON.stringify({ ...VERIFIED, proof: 'sworn' });
    assert.throws(() => parseVerified(wrong, WHERE), isFailure('BackupCorrupt', /proof/));
    const better = formatVerified(VERIFIED).replace('"restored"', '"served"');
    assert.throws(() => parseVerified(better, WHERE), isFailure('BackupCorrupt', /was changed after it was written/));
  });
});
