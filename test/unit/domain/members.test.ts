import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseMember, hashGroups, type MemberInspection } from '../../../domain/members/members.ts';

type Status = NonNullable<MemberInspection['status']>;

function member(node: string, status: Partial<Status> = {}, more: Partial<MemberInspection> = {}): MemberInspection {
  return {
    node,
    address: '127.0.0.1',
    clientUrl: `https://${node}:2379`,
    status: {
      clusterId: '1',
      memberId: node,
      version: '3.6.16',
      revision: '100',
      raftIndex: '200',
      leaderId: 'm1',
      isLearner: false,
      dbSizeBytes: 1,
      dbSizeInUseBytes: 1,
      errors: [],
      ...status,
    },
    alarms: [],
    hashKv: { revision: '90', compactRevision: '10', hash: '42' },
    ...more,
  };
}
const silent = (node: string): MemberInspection => ({ node, address: '', clientUrl: '', error: 'connection refused' });

test('a follower is read rather than the leader', () => {
  assert.equal(chooseMember([member('m1'), member('m2'), member('m3')]).node, 'm2');
});

test('of the followers, the most advanced is read', () => {
  assert.equal(chooseMember([member('m1'), member('m2'), member('m3', { revision: '101' })]).node, 'm3');
});

test('the leader is read when no follower is healthy', () => {
  const members = [member('m1'), member('m2', { isLearner: true }), silent('m3')];
  assert.equal(chooseMember(members).node, 'm1');
});

test('without quorum nothing is read, and each member says why', () => {
  assert.throws(() => chooseMember([member('m1', { leaderId: '0' }), silent('m2')]), {
    type: 'NoHealthyMember',
    message: /m2: connection refused; m1: has no leader/,
  });
});

test('members with different keys at one revision are reported and never read', () => {
  const odd = member('m3', {}, { hashKv: { revision: '90', compactRevision: '10', hash: '43' } });
  assert.throws(() => chooseMember([member('m1'), member('m2'), odd]), {
    type: 'MembersDisagree',
    message: /m1\+m2 against m3/,
  });
});

test('a member that was compacted further is not taken for a different one, and is compared again before anything is read', () => {
  const compacted = member('m3', {}, { hashKv: { revision: '90', compactRevision: '50', hash: '43' } });
  assert.deepEqual(hashGroups([member('m1'), member('m2'), compacted]), [['m1', 'm2']]);
  assert.throws(() => chooseMember([member('m1'), member('m2'), compacted]), {
    type: 'MemberUnreachable',
    message: /m3: compacted at revision 50/,
  });
});

test('a member that gives no hash is not taken for one that agrees', () => {
  const { hashKv: _, ...unhashed } = member('m3');
  assert.throws(() => chooseMember([member('m1'), member('m2'), { ...unhashed, hashError: 'deadline exceeded' }]), {
    type: 'MemberUnreachable',
    message: /m3: deadline exceeded/,
  });
});

test('an alarm stops the backup', () => {
  assert.throws(() => chooseMember([member('m1'), member('m2', {}, { alarms: ['CORRUPT (member 2)'] })]), {
    type: 'AlarmRaised',
    message: /CORRUPT/,
  });
});

test('client URLs of two clusters are noticed', () => {
  assert.throws(() => chooseMember([member('m1'), member('m2', { clusterId: '2' })]), {
    type: 'MembersDisagree',
    message: /different etcd clusters/,
  });
});

test('a member whose stream broke off is read only when there is no other', () => {
  const members = [member('m1'), member('m2'), member('m3')];
  assert.equal(chooseMember(members, ['m2']).node, 'm3');
  assert.equal(chooseMember(members, ['m2', 'm3']).node, 'm1');
  assert.equal(chooseMember(members, ['m1', 'm2', 'm3']).node, 'm2');
});

test('while most members answer and elect a leader, they are asked again', () => {
  const electing = [member('m1', { leaderId: '0' }), member('m2', { leaderId: '0' }), silent('m3')];
  assert.throws(() => chooseMember(electing), { type: 'MemberUnreachable', message: /2 of 3.*electing/ });
});
