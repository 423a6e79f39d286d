import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberEntry } from '../../../domain/members/member-entry.ts';
import { problemsOfMembers } from '../../../domain/members/problems.ts';

const HEALTHY: MemberEntry = {
  node: 'm1',
  name: 'm1',
  id: '1',
  peerUrls: ['https://10.0.0.1:2380'],
  state: 'healthy',
  seen: 'it answers',
  role: 'follower',
  version: '3.6.16',
  revision: '5',
  dbSizeBytes: 1,
  dbSizeInUseBytes: 1,
  raftLag: 0,
  alarms: [],
  hash: 'agrees',
};

const CASES: { what: string; entry: Partial<MemberEntry>; problems: string[] }[] = [
  { what: 'a healthy member', entry: {}, problems: [] },
  { what: 'the member that was to go', entry: { id: '9' }, problems: ['m1 is still in the list'] },
  {
    what: 'the member that was to go, which no node has',
    entry: { id: '9', node: null, name: 'old', state: 'gone' },
    problems: ['old is still in the list'],
  },
  { what: 'another one that no node has', entry: { node: null, state: 'gone' }, problems: [] },
  {
    what: 'a silent one',
    entry: { id: null, state: 'silent', seen: 'no answer', hash: null },
    problems: ['m1 is silent: no answer'],
  },
  { what: 'one without a hash', entry: { hash: null }, problems: ['m1 could not be compared with the others'] },
  {
    what: 'alarms',
    entry: { alarms: ['NOSPACE', 'CORRUPT'] },
    problems: ['m1 has raised NOSPACE', 'm1 has raised CORRUPT'],
  },
];

for (const { what, entry, problems } of CASES) {
  test(`after a replacement ${what} has ${problems.length} problems`, () => {
    assert.deepEqual(problemsOfMembers([{ ...HEALTHY, ...entry }], '9'), problems);
  });
}

test('with no member removed, one without an ID is not taken for it', () => {
  assert.deepEqual(problemsOfMembers([{ ...HEALTHY, id: null, state: 'missing', seen: 'none' }], null), [
    'm1 is missing: none',
  ]);
});
