import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SalvorError } from '../../../domain/errors.ts';
import { checkConfirmation, checkInput, isBackup, isName, listOf, oneOf } from '../../../domain/input.ts';

interface Example {
  cluster: string;
  backup?: string;
}
const SHAPE = { required: { cluster: isName }, optional: { backup: isBackup } };

test('a right input passes as it is, and null counts as absent', () => {
  assert.deepEqual(checkInput<Example>({ cluster: 'prod', backup: null }, SHAPE), { cluster: 'prod' });
  assert.deepEqual(checkInput<Example>({ cluster: 'prod', backup: '20261123-060000' }, SHAPE), {
    cluster: 'prod',
    backup: '20261123-060000',
  });
});

const wrong: [string, unknown, RegExp][] = [
  ['no input', undefined, /expected one JSON object/],
  ['a list', [{ cluster: 'prod' }], /expected one JSON object/],
  ['a text', 'prod', /expected one JSON object/],
  ['a missing field', {}, /"cluster" is missing/],
  ['a null field', { cluster: null }, /"cluster" is missing/],
  ['a wrong type', { cluster: 7 }, /"cluster": expected a name/],
  ['an unknown field', { cluster: 'prod', force: true }, /"force": unknown field; there are: cluster, backup/],
  ['a path as a name', { cluster: '../etc' }, /"cluster": expected a name/],
  ['a shell expression as a name', { cluster: '$(reboot)' }, /"cluster": expected a name/],
  ['a name with a newline', { cluster: 'prod\n' }, /"cluster": expected a name/],
  ['a backup that is no time', { cluster: 'prod', backup: '20260231-000000' }, /"backup": expected "latest"/],
];
for (const [what, input, message] of wrong) {
  test(`${what} is refused as InvalidInput`, () => {
    assert.throws(
      () => checkInput<Example>(input, SHAPE),
      (error) => error instanceof SalvorError && error.type === 'InvalidInput' && message.test(error.message),
    );
  });
}

test('every problem is named at once', () => {
  assert.throws(() => checkInput<Example>({ cluster: '', backup: 'soon', x: 1 }, SHAPE), /"cluster".*"backup".*"x"/s);
});

test('a confirmation that is not the name of the cluster is refused', () => {
  checkConfirmation('prod', 'prod');
  assert.throws(() => checkConfirmation('prod', 'prod-b'), { type: 'ConfirmationMismatch' });
});

test('a list is checked value by value', () => {
  const check = listOf(oneOf('young-cluster', 'rollout'));
  assert.equal(check(['rollout', 'young-cluster']), undefined);
  assert.equal(check([]), undefined);
  assert.match(check('rollout') ?? '', /expected a list/);
  assert.match(check(['rollout', 5]) ?? '', /expected one of: young-cluster, rollout/);
});
