import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutUndefined } from '../../../domain/without-undefined.ts';

test('what is undefined is absent, and everything else stays as it is', () => {
  const given: { a: number; b: string | undefined; c?: null; d: string | undefined } = {
    a: 0,
    b: undefined,
    c: null,
    d: '',
  };
  const found: { a: number; b?: string; c?: null; d?: string } = withoutUndefined(given);
  assert.deepEqual(Object.keys(found), ['a', 'c', 'd']);
  assert.deepEqual(found, { a: 0, c: null, d: '' });
});
