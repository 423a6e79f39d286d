import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderChanges } from '../../../cli/render/changes.ts';
import { CHANGES } from '../../support/fake-activities.ts';

const look = { color: false, now: new Date(0), timeZone: 'UTC', columns: 80 };

test('the preview of a restore names what is lost, and counts what it does not name', () => {
  const [configmaps] = CHANGES.types;
  assert.ok(configmaps);
  const names = ['a', 'b', 'c', 'd', 'e\u001b[2J', 'f'].map((name) => `default/${name}`);
  const many = { ...configmaps, vanish: 1_500, examples: { ...configmaps.examples, vanish: names } };
  const text = renderChanges({ ...CHANGES, vanish: 1_500, types: [many, ...CHANGES.types.slice(1)] }, look);
  assert.equal(
    text,
    `Against revision 5000 of the live cluster: 1,500 objects vanish, 1 come back, 1 revert

type         vanish  come back  revert
configmaps    1,500          0       0
secrets           0          1       0
deployments       0          0       1

vanish:
  configmaps: default/a, default/b, default/c, default/d, default/e and 1,495 more

come back:
  secrets: default/gone

revert:
  deployments: default/web

Not counted: 9 of events, leases`,
  );
});

test('a restore that changes nothing says so', () => {
  const none = { vanish: 0, comeBack: 0, revert: 0 };
  const text = renderChanges({ comparedAtRevision: '7', ...none, types: [], noise: { ...none, types: [] } }, look);
  assert.equal(text, 'Nothing changes: revision 7 of the live cluster holds what the backup holds');
});
