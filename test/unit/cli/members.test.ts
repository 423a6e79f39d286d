import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitStatusOf, renderReport } from '../../../cli/reports.ts';
import type { Look } from '../../../cli/render/format.ts';
import { memberTable, quorumOf } from '../../../domain/members/member-table.ts';
import type { ListMembersReport } from '../../../domain/operations/list-members.ts';
import type { ReplaceMemberReport } from '../../../domain/operations/replace-member.ts';
import { CLUSTER, surveyWithout } from '../../support/fake-activities.ts';

const LOOK: Look = { color: false, now: new Date('2026-11-28T12:00:00Z'), timeZone: 'UTC', columns: 200 };

function listed(...silent: string[]): ListMembersReport {
  const survey = surveyWithout(...silent);
  const members = memberTable(CLUSTER.nodes, survey, []);
  return { cluster: 'prod', clusterId: '1', quorum: quorumOf(survey, members), members };
}

test('the members are a table, with what ails one below it', () => {
  assert.equal(
    renderReport('listMembers', listed('m3'), LOOK).replaceAll(/ +/g, ' '),
    `prod: 2 of 3 voting members are up, 2 needed
NODE  MEMBER  ID  STATE    ROLE      VERSION      SIZE     IN USE  REVISION  LAG  HASH    ALARMS
m1    m1      1   healthy  leader    3.6.16   977 KiB    879 KiB      5000    0  agrees  -
m2    m2      2   healthy  follower  3.6.16   977 KiB    879 KiB      5000    0  agrees  -
m3    m3      3   silent   -         -              -          -         -    -  -       -
! m3: connection refused`.replaceAll(/ +/g, ' '),
  );
});

test('the exit status tells whether something is to be done, and whether there is a quorum', () => {
  assert.equal(exitStatusOf('listMembers', listed()), 0);
  assert.equal(exitStatusOf('listMembers', listed('m3')), 3);
  assert.equal(exitStatusOf('listMembers', listed('m2', 'm3')), 1);
  assert.equal(exitStatusOf('listMembers', { ...listed('m1', 'm2', 'm3'), quorum: null }), 1);
  assert.match(renderReport('listMembers', listed('m2', 'm3'), LOOK), /1 of 3 .* 2 needed: quorum is lost/);
});

const REPLACED: ReplaceMemberReport = {
  cluster: 'prod',
  node: 'm3',
  outcome: 'replaced',
  problem: null,
  found: { state: 'crash-looping', seen: 'walpb: crc mismatch' },
  removed: { id: '3', name: 'm3', peerUrls: ['https://10.0.0.3:2380'] },
  added: '4',
  before: listed('m3').members,
  after: listed().members,
  backup: '20261128-120000',
  setAside: [{ node: 'm3', path: '/var/lib/etcd/member.before-replace-20261128-120000' }],
  toDo: ['The node m9 is still an object of the API: `kubectl delete node m9`.'],
  steps: [],
  workflowId: 'replaceMember/prod/1',
};

test('a replacement tells what was wrong, what came in its place, what is kept and what is left to do, with the members before and after', () => {
  const text = renderReport('replaceMember', REPLACED, LOOK);
  for (const line of [
    /^Replaced the member on m3 of prod$/m,
    /it was +crash-looping: walpb: crc mismatch$/m,
    /removed +member 3, m3, https:\/\/10\.0\.0\.3:2380$/m,
    /added +member 4$/m,
    /backup +20261128-120000$/m,
    /kept +m3: \/var\/lib\/etcd\/member\.before-replace-20261128-120000$/m,
    /left to do +The node m9/m,
    /^before\nNODE(.*\n){3}m3 .*silent/m,
    /^after\nNODE(.*\n){3}m3 .*healthy/m,
  ]) {
    assert.match(text, line);
  }
  assert.equal(exitStatusOf('replaceMember', REPLACED), 0);
  assert.equal(exitStatusOf('replaceMember', { ...REPLACED, outcome: 'aborted', after: null }), 1);
});
