import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AlarmAction, AlarmType, Etcd3 } from 'etcd3';
import { openMember } from '../../adapters/etcd/client.ts';
import type { Member } from '../../adapters/etcd/member.ts';
import { freePorts, startEtcdCluster, type TestCluster } from '../support/etcd-cluster.ts';
import { fill } from '../support/etcd-data.ts';

const signal = AbortSignal.timeout(300_000);

describe('a cluster of three members', () => {
  let directory: string;
  let cluster: TestCluster;
  let members: Member[];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salvor-test-'));
    cluster = await startEtcdCluster({ members: 3, directory });
    members = await Promise.all(
      cluster.members.map(async ({ name, clientUrl }) => await openMember({ node: name, clientUrl })),
    );
    await fill(memberAt(0).endpoint.clientUrl, 50, 1_000);
  });
  after(async () => {
    for (const member of members ?? []) member.close();
    await cluster?.stop();
    await rm(directory, { recursive: true });
  });

  function memberAt(index: number): Member {
    const member = members[index];
    assert.ok(member);
    return member;
  }

  test('every member tells its own status, and they agree on cluster and leader', async () => {
    const statuses = await Promise.all(members.map(async (member) => await member.status(signal)));
    assert.equal(new Set(statuses.map((status) => status.clusterId)).size, 1);
    assert.equal(new Set(statuses.map((status) => status.memberId)).size, 3);
    assert.equal(new Set(statuses.map((status) => status.leaderId)).size, 1);
    for (const status of statuses) {
      assert.match(status.version, /^3\.\d+\.\d+/);
      assert.match(status.memberId, /^\d+$/);
      assert.ok(BigInt(status.revision) >= 1n);
      assert.ok(status.dbSizeBytes >= status.dbSizeInUseBytes && status.dbSizeInUseBytes > 0);
      assert.equal(status.isLearner, false);
      assert.deepEqual(status.errors, []);
    }
  });

  test('the member list has every member with its URLs', async () => {
    const list = await memberAt(1).members(signal);
    assert.deepEqual(
      list
        .map(({ name, peerUrls, clientUrls }) => ({ name, peerUrls, clientUrls }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      cluster.members.map(({ name, peerUrl, clientUrl }) => ({ name, peerUrls: [peerUrl], clientUrls: [clientUrl] })),
    );
  });

  test('all members have the same hash of their keys at one revision', async () => {
    const hashes = await Promise.all(members.map(async (member) => await member.hashKv(signal, '51')));
    assert.equal(hashes[0]?.revision, '51');
    assert.match(hashes[0]?.hash ?? '', /^\d+$/);
    assert.equal(hashes[0]?.compactRevision, '-1');
    assert.deepEqual(hashes[1], hashes[0]);
    assert.deepEqual(hashes[2], hashes[0]);
  });

  test('without a revision the newest is hashed, and it is told which', async () => {
    const { revision } = await memberAt(0).status(signal);
    const newest = await memberAt(0).hashKv(signal);
    assert.equal(newest.revision, revision);
    assert.deepEqual(newest, await memberAt(0).hashKv(signal, revision));
  });

  test('a revision that a member does not have yet is no fault of the connection', async () => {
    await assert.rejects(memberAt(0).hashKv(signal, '999999'), { type: 'ClusterNotReady', message: /future revision/ });
  });

  test('alarms are told by name and member, and are cleared', async () => {
    assert.deepEqual(await memberAt(2).alarms(signal), []);
    const { memberId } = await memberAt(1).status(signal);
    const client = new Etcd3({ hosts: cluster.members[0]?.clientUrl ?? '' });
    try {
      for (const [alarm, name] of [
        [AlarmType.Nospace, 'NOSPACE'],
        [AlarmType.Corrupt, 'CORRUPT'],
      ] as const) {
        await client.maintenance.alarm({ action: AlarmAction.Activate, memberID: memberId, alarm });
        assert.deepEqual(await memberAt(2).alarms(signal), [{ memberId, alarm: name }]);
        await memberAt(0).clearAlarm(signal, memberId, name);
        assert.deepEqual(await memberAt(2).alarms(signal), []);
      }
    } finally {
      client.close();
    }
  });

  test('a call that is aborted ends at once with the reason of the signal', async () => {
    const reason = new Error('the operation was cancelled');
    await assert.rejects(memberAt(0).status(AbortSignal.abort(reason)), reason);
  });

  test('without quorum a member still tells its status and the member list, and is heard again after a restart', async () => {
    const [first, second, third] = cluster.members;
    assert.ok(first && second && third);
    await Promise.all([second.kill(), third.kill()]);
    assert.equal((await memberAt(0).status(signal)).version.startsWith('3.'), true);
    assert.equal((await memberAt(0).members(signal)).length, 3);
    await assert.rejects(memberAt(1).status(signal), {
      type: 'MemberUnreachable',
      message: /no answer from etcd on node m2 \(http:\/\/127\.0\.0\.1:\d+\) to a status request: .*ECONNREFUSED/,
    });
    await Promise.all([second.start(), third.start()]);
    const deadlineMs = Date.now() + 20_000;
    while (Date.now() < deadlineMs) {
      const status = await memberAt(1)
        .status(signal)
        .catch(() => undefined);
      if (status) return;
    }
    assert.fail('the member that came back was not heard within 20 s');
  });
});

test('a member that accepts connections and never answers is given up on after its deadline', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  assert.ok(address !== null && typeof address === 'object');
  const member = await openMember({ node: 'm1', clientUrl: `http://127.0.0.1:${address.port}` });
  try {
    const startedMs = Date.now();
    await assert.rejects(member.status(signal), { type: 'MemberUnreachable' });
    assert.ok(Date.now() - startedMs < 8_000);
  } finally {
    member.close();
    silent.close();
    for (const socket of sockets) socket.destroy();
  }
});

test('a member that does not run is unreachable for a snapshot too', async () => {
  const [port] = await freePorts(1);
  const member = await openMember({ node: 'm1', clientUrl: `http://127.0.0.1:${port}` });
  const read = async () => {
    for await (const chunk of member.snapshot(signal)) assert.fail(`got ${chunk.length} bytes from nothing`);
  };
  await assert.rejects(read(), { type: 'MemberUnreachable', message: /node m1 .* to a snapshot: .*ECONNREFUSED/ });
  member.close();
});
