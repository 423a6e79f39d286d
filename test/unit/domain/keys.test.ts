import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  backupIdOf,
  manifestKey,
  parseForeignKey,
  parseKey,
  pinnedKey,
  snapshotKey,
  ARTIFACT_KINDS,
  ARTIFACTS,
  staticResourcesKey,
  timeOfBackupId,
  verifiedKey,
} from '../../../domain/format/keys.ts';

describe('A backup’s name', () => {
  test('is its time in UTC to the second, and gives it back', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (time) => {
          assert.equal(timeOfBackupId(backupIdOf(time))?.getTime(), Math.floor(time.getTime() / 1000) * 1000);
        },
      ),
    );
    assert.equal(backupIdOf(new Date('2026-03-04T05:06:07.999Z')), '20260304-050607');
  });

  for (const text of [
    '',
    'latest',
    '20260230-000000',
    '20260101-240000',
    '20260101-006000',
    '2026-01-01',
    '20260101-000000x',
  ]) {
    test(`is not ${JSON.stringify(text)}`, () => assert.equal(timeOfBackupId(text), undefined));
  }
});

describe('A key', () => {
  const [cluster, node, backup] = ['shjq-prod-a', '10.129.122.15', '20260304-050607'];
  const place = { cluster, nodeAddress: node, backup };
  const plain = { compression: 'none', encrypted: false } as const;

  for (const compression of ['none', 'zstd'] as const) {
    for (const encrypted of [false, true]) {
      test(`of a snapshot (${compression}, ${encrypted ? 'encrypted' : 'plain'}) is read as it was made`, () => {
        const key = snapshotKey(cluster, node, backup, { compression, encrypted });
        assert.deepEqual(parseKey(key), { ...place, kind: 'snapshot', compression, encrypted });
      });
    }
  }

  test('of static resources, a manifest, a drill’s result and a pin is read as it was made', () => {
    const resources = parseKey(staticResourcesKey(cluster, node, backup, true));
    assert.deepEqual(resources, { ...place, kind: 'static-resources', compression: 'none', encrypted: true });
    assert.deepEqual(parseKey(manifestKey(cluster, node, backup)), { ...place, ...plain, kind: 'manifest' });
    assert.deepEqual(parseKey(verifiedKey(cluster, node, backup)), { ...place, ...plain, kind: 'verified' });
    assert.deepEqual(parseKey(pinnedKey(cluster, node, backup)), { ...place, ...plain, kind: 'pinned' });
  });

  test('of an uncompressed snapshot is what the cron scripts write', () => {
    assert.equal(snapshotKey(cluster, node, backup, plain), 'shjq-prod-a/10.129.122.15/snapshot-20260304-050607.db');
  });

  test('of every kind that is written is read as that kind, by the format of its row', () => {
    for (const kind of ARTIFACT_KINDS) {
      const { format } = ARTIFACTS[kind];
      const read = parseKey(`c/n/${kind}-20260101-000000.${format ?? 'db'}`);
      assert.equal(read?.kind, format === null ? undefined : kind);
    }
  });

  for (const key of [
    'c/n/volume-20260101-000000.null',
    'c/n/other-20260101-000000.db',
    'c/n/snapshot-20260230-000000.db',
    'c/n/snapshot-20260101-000000.tar.gz',
    'c/n/static-resources-20260101-000000.db',
    'c/n/deeper/snapshot-20260101-000000.db',
    'n/snapshot-20260101-000000.db',
    'c/n/snapshot-20260101-000000.db.age.zst',
    'c/n/pinned-20260101-000000.json.age',
    'c/n/backup-20260101-000000.db',
  ]) {
    test(`that is not of this naming is not read: ${key}`, () => assert.equal(parseKey(key), undefined));
  }
});

describe('A key of another tool', () => {
  for (const [name, kind] of [
    ['snapshot-20240229-120000.db', 'snapshot'],
    ['snapshot-20240229120000.db', 'snapshot'],
    ['snapshot_2024-02-29_120000.db', 'snapshot'],
    ['snapshot-2024-02-29T12:00:00Z.db', 'snapshot'],
    ['etcd-snapshot-20240229-120000.db', 'snapshot'],
    ['etcd-backup-2024-02-29_12-00-00.db', 'snapshot'],
    ['static_kuberesources_2024-02-29_120000.tar.gz', 'static-resources'],
    ['static-resources-20240229-120000.tar.gz', 'static-resources'],
  ] as const) {
    test(`is read: ${name}, and in a directory below the node as well`, () => {
      const found = { nodeAddress: '10.0.0.1', backup: '20240229-120000', kind };
      assert.deepEqual(parseForeignKey(`c/10.0.0.1/${name}`), found);
      assert.deepEqual(parseForeignKey(`c/10.0.0.1/nightly/${name}`), found);
    });
  }

  for (const key of [
    'c/n/snapshot_2023-02-29_120000.db',
    'c/n/snapshot-20240229-120000.db.zst',
    'c/n/snapshot.db',
    'c/n/a/b/snapshot-20240229-120000.db',
    'c/snapshot-20240229-120000.db',
  ]) {
    test(`is not ${key}`, () => assert.equal(parseForeignKey(key), undefined));
  }
});
