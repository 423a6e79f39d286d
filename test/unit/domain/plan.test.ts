import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restorePaths } from '../../../domain/node-paths.ts';
import { bumpFor } from '../../../domain/restore/revision.ts';
import { restoreSteps } from '../../../domain/restore/steps.ts';

const bumps: [string, string, string | null, string][] = [
  ['the cluster went on after the snapshot', '100', '5000', '1004900'],
  ['the snapshot is the newest state', '100', '100', '1000000'],
  ['the live cluster was reset to a lower revision', '9000', '10', '1000000'],
  ['no member answers', '100', null, '1000000000'],
  ['revisions beyond what a number holds', '9007199254740993', '9007199254740999', '1000006'],
];
for (const [what, snapshot, live, expected] of bumps) {
  test(`the revision is raised past what any client has seen when ${what}`, () => {
    assert.equal(bumpFor(snapshot, live), expected);
    if (live !== null) assert.ok(BigInt(snapshot) + BigInt(bumpFor(snapshot, live)) > BigInt(live));
  });
}

test('every kube-apiserver is stopped before the first etcd, and started after the last one', () => {
  const nodes = ['m1', 'm2'].map((name) => ({ name, hasApiServer: true, hasControllers: false }));
  const steps = restoreSteps(nodes).map(({ name, node }) => `${name} ${node ?? ''}`.trim());
  assert.ok(steps.indexOf('Stop kube-apiserver m2') < steps.indexOf('Stop etcd m1'));
  assert.ok(steps.indexOf('Start etcd m2') < steps.indexOf('Start kube-apiserver m1'));
});

test('etcd alone has no steps for kube-apiserver', () => {
  const steps = restoreSteps([{ name: 'm1', hasApiServer: false, hasControllers: false }]);
  assert.ok(!steps.some(({ name }) => name.includes('kube-apiserver')));
});

test('controllers that were stopped with kube-apiserver are started when all are ready, and others are left alone', () => {
  const nodes = [
    { name: 'm1', hasApiServer: true, hasControllers: true },
    { name: 'm2', hasApiServer: true, hasControllers: false },
  ];
  const steps = restoreSteps(nodes).map(({ name, node }) => `${name} ${node ?? ''}`.trim());
  assert.ok(steps.indexOf('Check kube-apiserver m2') < steps.indexOf('Start the controllers m1'));
  assert.ok(!steps.includes('Start the controllers m2'));
});

test("what a restore puts on a node lies beside the member's data, on its file system", () => {
  for (const path of Object.values(restorePaths('/var/lib/etcd', '20261123-060000'))) {
    assert.match(path, /^\/var\/lib\/etcd\/member\.[a-z-]+-20261123-060000$/);
  }
});
