/** The worker is killed at every step of a replacement. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { changingSteps, replacementSteps } from '../../domain/members/steps.ts';
import { checkHealthy, destroyMember, replaceKillingAt, underWrites } from '../support/replace-world.ts';
import { putKeys, startWorld, type World } from '../support/world.ts';

const STEPS = [...replacementSteps(), ...changingSteps({ node: 'm3', stopsApiServer: false, joinsItself: false })];

let world: World;
before(async () => {
  world = await startWorld({ kubernetes: false });
  await putKeys(world.etcd(), 200);
});
after(async () => await world.down());

for (const { name } of STEPS) {
  test(`at "${name}": three voting members, and no acknowledged write lost`, async () => {
    await destroyMember(world, 'm3');
    const report = await underWrites(world, ['m1', 'm2'], async () => await replaceKillingAt(world, name));
    assert.equal(report.outcome, 'replaced', report.problem ?? '');
    await checkHealthy(world);
  });
}
