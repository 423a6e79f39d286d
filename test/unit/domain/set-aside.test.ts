import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restorePaths } from '../../../domain/plan.ts';
import { removingPath, setAsideAt } from '../../../domain/set-aside.ts';

const ID = '20261128-164014';
const DATA = '/var/lib/etcd';

test('what a restore has set aside is known by its name', () => {
  const { setAside, abandoned } = restorePaths(DATA, ID);
  assert.deepEqual(setAsideAt(DATA, setAside), { path: setAside, kind: 'before', operationId: ID });
  assert.deepEqual(setAsideAt(DATA, abandoned), { path: abandoned, kind: 'abandoned', operationId: ID });
  assert.equal(
    removingPath(DATA, { path: abandoned, kind: 'abandoned', operationId: ID }),
    `${DATA}.salvor-removing-abandoned-${ID}`,
  );
});

test('nothing else is: neither the live directory, nor another one, nor what only begins or ends like it', () => {
  const { scratch, staged } = restorePaths(DATA, ID);
  for (const path of [
    DATA,
    `${DATA}/`,
    scratch,
    staged,
    `${DATA}.before-restore-`,
    `${DATA}.before-restore-${ID}/`,
    `${DATA}.before-restore-${ID}/member`,
    `${DATA}.before-restore-${ID}x`,
    `${DATA}.before-restore-x${ID}`,
    `${DATA}.before-restore-20261328-164014`,
    `${DATA}.before-restore-/../../../home/${ID}`,
    `${DATA}-2.before-restore-${ID}`,
    `/var/lib/other.before-restore-${ID}`,
    `/var/lib/x/../etcd.before-restore-${ID}`,
    `etcd.before-restore-${ID}`,
    `/${ID}`,
    '',
    '/',
  ]) {
    assert.equal(setAsideAt(DATA, path), undefined, path);
  }
});
