import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restorePaths } from '../../../domain/node-paths.ts';
import { removingPath, setAsideAt } from '../../../domain/restore/set-aside.ts';

const ID = '20261128-164014';
const DIRECTORY = '/var/lib/etcd';
const DATA = `${DIRECTORY}/member`;

test('what a restore has set aside is known by its name', () => {
  const { setAside, abandoned } = restorePaths(DIRECTORY, ID);
  assert.deepEqual(setAsideAt(DIRECTORY, setAside), { path: setAside, kind: 'before', operationId: ID });
  assert.deepEqual(setAsideAt(DIRECTORY, abandoned), { path: abandoned, kind: 'abandoned', operationId: ID });
  assert.equal(
    removingPath(DIRECTORY, { path: abandoned, kind: 'abandoned', operationId: ID }),
    `${DATA}.salvor-removing-abandoned-${ID}`,
  );
});

test('nothing else is: neither the live directory, nor another one, nor what only begins or ends like it', () => {
  const { scratch, staged } = restorePaths(DIRECTORY, ID);
  for (const path of [
    DATA,
    `${DATA}/`,
    DIRECTORY,
    `${DIRECTORY}.before-restore-${ID}`,
    `${DATA}.before-replace-${ID}`,
    scratch,
    staged,
    `${DATA}.before-restore-`,
    `${DATA}.before-restore-${ID}/`,
    `${DATA}.before-restore-${ID}/snap`,
    `${DATA}.before-restore-${ID}x`,
    `${DATA}.before-restore-x${ID}`,
    `${DATA}.before-restore-20261328-164014`,
    `${DATA}.before-restore-/../../../home/${ID}`,
    `${DATA}-2.before-restore-${ID}`,
    `/var/lib/etcd/other.before-restore-${ID}`,
    `/var/lib/x/../etcd/member.before-restore-${ID}`,
    `member.before-restore-${ID}`,
    `/${ID}`,
    '',
    '/',
  ]) {
    assert.equal(setAsideAt(DIRECTORY, path), undefined, path);
  }
});
