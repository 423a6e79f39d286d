import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberInspection } from '../../../domain/members/members.ts';
import { problemsOfFormer, problemsOfRestored } from '../../../domain/restore/restored.ts';

const EXPECTED = { members: 3, revisionFloor: '1005000', oldClusterId: '7' };

type Status = NonNullable<MemberInspection['status']>;

function member(
  node: string,
  { status = {}, ...rest }: Partial<Omit<MemberInspection, 'status'>> & { status?: Partial<Status> } = {},
): MemberInspection {
  return {
    node,
    address: '10.0.0.1',
    clientUrl: 'https://10.0.0.1:2379',
    status: {
      clusterId: '9',
      memberId: node,
      version: '3.6.16',
      revision: '1005000',
      raftIndex: '10',
      leaderId: 'm1',
      isLearner: false,
      dbSizeBytes: 1,
      dbSizeInUseBytes: 1,
      errors: [],
      ...status,
    },
    alarms: [],
    hashKv: { revision: '1005000', compactRevision: '1004999', hash: '78' },
    ...rest,
  };
}

function without(node: string, ...fields: ('status' | 'hashKv')[]): MemberInspection {
  const found = member(node);
  for (const field of fields) delete found[field];
  return found;
}

const rest = [member('m2'), member('m3')];
const [m1, m2, m3] = [member('m1'), member('m2'), member('m3')];

const CASES: { what: string; members: MemberInspection[]; listed?: number; problems: RegExp[] }[] = [
  { what: 'all as expected', members: [m1, ...rest], problems: [] },
  { what: 'a silent member', members: [without('m1', 'status'), ...rest], problems: [/is silent again/] },
  { what: 'no member at all', members: [], problems: [/is silent again/] },
  {
    what: 'a member of another cluster',
    members: [m1, m2, member('m3', { status: { clusterId: '8' } })],
    problems: [/different cluster IDs/],
  },
  {
    what: 'the old cluster',
    members: [m1, m2, m3].map(({ node }) => member(node, { status: { clusterId: '7' } })),
    problems: [/^the cluster ID is still the old one, 7$/],
  },
  {
    what: 'a foreign member',
    members: [m1, ...rest],
    listed: 4,
    problems: [/^expected 3 members in the list, got 4$/],
  },
  { what: 'no list', members: [m1, ...rest], listed: 0, problems: [/^expected 3 members in the list, got 0$/] },
  {
    what: 'no leader',
    members: [member('m1', { status: { leaderId: '0' } }), ...rest],
    problems: [/^m1 has no leader$/],
  },
  {
    what: 'a revision below the floor by one',
    members: [m1, member('m2', { status: { revision: '1004999' } }), m3],
    problems: [/^m2 is at revision 1004999, expected 1005000 or more$/],
  },
  {
    what: 'a revision below the floor that is greater as text',
    members: [m1, member('m2', { status: { revision: '99' } }), m3],
    problems: [/^m2 is at revision 99,/],
  },
  { what: 'an alarm', members: [m1, m2, member('m3', { alarms: ['NOSPACE'] })], problems: [/^m3 has raised NOSPACE$/] },
  {
    what: 'no hash',
    members: [m1, m2, without('m3', 'hashKv')],
    problems: [/^m3 gives no HashKV$/, /not every member could be compared/],
  },
  {
    what: 'other keys',
    members: [m1, m2, member('m3', { hashKv: { revision: '1005000', compactRevision: '1004999', hash: '79' } })],
    problems: [/do not hold the same keys/, /not every member could be compared/],
  },
];

for (const { what, members, listed = 3, problems } of CASES) {
  test(`a restored cluster with ${what} has ${problems.length} problems`, () => {
    const found = problemsOfRestored(members, listed, EXPECTED);
    assert.equal(found.length, problems.length, found.join('; '));
    for (const [index, problem] of problems.entries()) assert.match(found[index] ?? '', problem);
  });
}

test('an old cluster that nobody knows is compared with none', () => {
  assert.deepEqual(problemsOfRestored([m1, ...rest], 3, { ...EXPECTED, oldClusterId: null }), []);
});

test('after a rollback the former members are back when they are in the old cluster and have a leader', () => {
  assert.deepEqual(problemsOfFormer([m1, ...rest], '9'), []);
  const found = problemsOfFormer(
    [member('m1', { status: { clusterId: '8' } }), member('m2', { status: { leaderId: '0' } }), m3],
    '9',
  );
  assert.deepEqual(found, ['m1 is in cluster 8, expected 9', 'm2 has no leader']);
});
