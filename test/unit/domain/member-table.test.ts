import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MemberInspection } from '../../../domain/members/members.ts';
import { memberTable, type MemberSurvey, type ProcessSeen, quorumOf } from '../../../domain/members/member-table.ts';
import type { MemberEntry, MemberState } from '../../../domain/members/member-entry.ts';
import { CLUSTER, listedMembers, surveyWithout } from '../../support/fake-activities.ts';

const { nodes } = CLUSTER;

function table(survey: MemberSurvey, processes: ProcessSeen[] = []): MemberEntry[] {
  return memberTable(nodes, survey, processes);
}

function states(entries: MemberEntry[]): [string, MemberState][] {
  return entries.map(({ node, name, state }) => [node ?? name, state]);
}

/** The survey with something else of m3. */
function withThird(change: (member: MemberInspection) => MemberInspection, survey = surveyWithout()): MemberSurvey {
  return { ...survey, members: survey.members.map((member) => (member.node === 'm3' ? change(member) : member)) };
}

function statusOf(member: MemberInspection): NonNullable<MemberInspection['status']> {
  assert.ok(member.status);
  return member.status;
}

function seen(process: ProcessSeen['process'], text = 'seen on the node'): ProcessSeen[] {
  return [{ node: 'm3', process, seen: text }];
}

/** What etcd lists, with something else of its third member. */
function listing(
  survey: MemberSurvey,
  third: Partial<ReturnType<typeof listedMembers>[number]> | undefined,
): MemberSurvey {
  const [first, second, last] = listedMembers();
  assert.ok(first && second && last);
  return { ...survey, listed: [first, second, ...(third === undefined ? [] : [{ ...last, ...third }])] };
}

const OLD_ADDRESS = { peerUrls: ['https://10.0.0.9:2380'], clientUrls: ['https://10.0.0.9:2379'] };
const NOT_CONFIGURED = { ...OLD_ADDRESS, name: 'old' };

describe('what a member is said to be', () => {
  const cases: {
    what: string;
    survey: MemberSurvey;
    processes?: ProcessSeen[];
    state: MemberState;
    because: RegExp;
  }[] = [
    { what: 'one that answers', survey: surveyWithout(), state: 'healthy', because: /follower/ },
    {
      what: 'one whose node cannot be reached',
      survey: surveyWithout('m3'),
      processes: seen('unreachable', 'no route to host'),
      state: 'node-unreachable',
      because: /no route to host/,
    },
    {
      what: 'one whose etcd does not run',
      survey: surveyWithout('m3'),
      processes: seen('stopped'),
      state: 'stopped',
      because: /seen on/,
    },
    {
      what: 'one whose etcd ends again and again',
      survey: surveyWithout('m3'),
      processes: seen('crash-looping', 'its log ends with: walpb: crc mismatch'),
      state: 'crash-looping',
      because: /crc mismatch/,
    },
    {
      what: 'one that runs and does not answer',
      survey: surveyWithout('m3'),
      processes: seen('running'),
      state: 'silent',
      because: /seen on/,
    },
    {
      what: 'one with other keys at the same revision',
      survey: withThird((member) => ({ ...member, hashKv: { revision: '5000', compactRevision: '1', hash: '78' } })),
      state: 'corrupt',
      because: /HashKV at revision 5000/,
    },
    {
      what: 'one for which the CORRUPT alarm is raised, as all members tell',
      survey: {
        ...surveyWithout(),
        members: surveyWithout().members.map((member) => ({ ...member, alarms: ['CORRUPT (member 3)'] })),
      },
      state: 'corrupt',
      because: /CORRUPT alarm/,
    },
    {
      what: 'one that was added and never started',
      survey: listing(surveyWithout('m3'), { name: '', isLearner: true }),
      processes: seen('stopped'),
      state: 'not-started',
      because: /never started/,
    },
    {
      what: 'a learner that nobody promoted',
      survey: withThird((member) => ({ ...member, status: { ...statusOf(member), isLearner: true } })),
      state: 'learner',
      because: /never promoted/,
    },
    {
      what: 'a learner that ended',
      survey: listing(surveyWithout('m3'), { isLearner: true }),
      processes: seen('stopped'),
      state: 'learner',
      because: /doesn't answer/,
    },
    {
      what: 'one that etcd does not have',
      survey: listing(surveyWithout('m3'), undefined),
      state: 'missing',
      because: /10\.0\.0\.3:2380/,
    },
    {
      what: 'one that etcd has under another address',
      survey: listing(surveyWithout('m3'), OLD_ADDRESS),
      state: 'moved',
      because: /10\.0\.0\.9:2380, where it doesn't answer/,
    },
    {
      what: 'one that began a cluster of its own',
      survey: withThird((member) => ({ ...member, status: { ...statusOf(member), clusterId: '99', memberId: '98' } })),
      state: 'astray',
      because: /cluster 99/,
    },
    {
      what: 'one that began anew under its old IDs, and leads itself',
      survey: withThird((member) => ({ ...member, status: { ...statusOf(member), leaderId: '3' } })),
      state: 'astray',
      because: /it follows member 3, the others 1/,
    },
    {
      what: 'one that was removed and still runs',
      survey: listing(surveyWithout(), undefined),
      state: 'astray',
      because: /not of this one/,
    },
    {
      what: 'one that knows no leader',
      survey: withThird((member) => ({ ...member, status: { ...statusOf(member), leaderId: '0' } })),
      state: 'leaderless',
      because: /no leader/,
    },
  ];
  for (const { what, survey, processes, state, because } of cases) {
    test(`${what} is ${state}, the others are healthy`, () => {
      const entries = table(survey, processes);
      assert.deepEqual(states(entries), [
        ['m1', 'healthy'],
        ['m2', 'healthy'],
        ['m3', state],
      ]);
      assert.match(entries[2]?.seen ?? '', because);
    });
  }

  test('a member that no node of the configuration has is listed as gone, or as unknown while it answers', () => {
    const survey = listing(surveyWithout('m3'), NOT_CONFIGURED);
    assert.deepEqual(states(table(survey)).slice(2), [
      ['m3', 'missing'],
      ['old', 'gone'],
    ]);
    assert.deepEqual(states(table({ ...survey, answeringElsewhere: ['3'] })).at(-1), ['old', 'unknown']);
  });

  test('of members that disagree without a majority none is said to be right', () => {
    const survey = withThird(
      (member) => ({ ...member, hashKv: { revision: '5000', compactRevision: '1', hash: '78' } }),
      surveyWithout('m2'),
    );
    assert.deepEqual(states(table(survey)), [
      ['m1', 'corrupt'],
      ['m2', 'silent'],
      ['m3', 'corrupt'],
    ]);
  });

  test('one that was compacted at another revision could not be compared, and is not called corrupt', () => {
    const entries = table(
      withThird((member) => ({ ...member, hashKv: { revision: '5000', compactRevision: '7', hash: '1' } })),
    );
    assert.deepEqual([entries[2]?.state, entries[2]?.hash], ['healthy', null]);
  });

  test('without any member that answers, what the nodes show is told', () => {
    const survey = { ...surveyWithout('m1', 'm2', 'm3'), listed: null, clusterId: null, leaderId: null };
    const entries = table(survey, seen('stopped'));
    assert.deepEqual(states(entries), [
      ['m1', 'silent'],
      ['m2', 'silent'],
      ['m3', 'stopped'],
    ]);
    assert.equal(quorumOf(survey, entries), null);
  });
});

describe('the line of a member', () => {
  test('holds its role, sizes, revision, lag, alarms and whether its keys agree', () => {
    const survey = withThird((member) => ({
      ...member,
      status: { ...statusOf(member), raftIndex: '5900' },
      alarms: ['NOSPACE (member 3)'],
    }));
    assert.deepEqual(table(survey)[2], {
      node: 'm3',
      name: 'm3',
      id: '3',
      peerUrls: ['https://10.0.0.3:2380'],
      state: 'healthy',
      seen: 'follower',
      role: 'follower',
      version: '3.6.16',
      revision: '5000',
      dbSizeBytes: 1_000_000,
      dbSizeInUseBytes: 900_000,
      raftLag: 100,
      alarms: ['NOSPACE'],
      hash: 'agrees',
    });
    assert.equal(table(survey)[0]?.role, 'leader');
  });
});

describe('the votes', () => {
  const cases: [what: string, survey: MemberSurvey, expected: { voters: number; needed: number; up: number }][] = [
    ['all there', surveyWithout(), { voters: 3, needed: 2, up: 3 }],
    ['one silent', surveyWithout('m3'), { voters: 3, needed: 2, up: 2 }],
    ['two silent', surveyWithout('m2', 'm3'), { voters: 3, needed: 2, up: 1 }],
    ['one removed', listing(surveyWithout('m3'), undefined), { voters: 2, needed: 2, up: 2 }],
    ['a learner does not count', listing(surveyWithout('m3'), { isLearner: true }), { voters: 2, needed: 2, up: 2 }],
    [
      'a corrupt one still votes',
      withThird((member) => ({ ...member, hashKv: { revision: '5000', compactRevision: '1', hash: '78' } })),
      { voters: 3, needed: 2, up: 3 },
    ],
    [
      'one that answers at its old address votes',
      { ...listing(surveyWithout('m3'), OLD_ADDRESS), answeringElsewhere: ['3'] },
      { voters: 3, needed: 2, up: 3 },
    ],
  ];
  for (const [what, survey, expected] of cases) {
    test(what, () => assert.deepEqual(quorumOf(survey, table(survey)), expected));
  }
});
