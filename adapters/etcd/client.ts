/** Talks to one etcd member through etcd3; snapshots go through `snapshot-stream.ts`. */
import { noop } from 'cockatiel';
import { AlarmAction, AlarmType, Etcd3 } from 'etcd3';
import { SalvorError } from '../../domain/errors.ts';
import { inBatches } from '../encoding/streams.ts';
import { addressOf, CHANNEL_OPTIONS, loadCredentials } from './connection.ts';
import { memberFailure } from './failures.ts';
import { readHashKv } from './hash-kv.ts';
import type { Member, MemberEndpoint } from './member.ts';
import { readSnapshot } from './snapshot-stream.ts';
import { unlessAborted } from '../unless-aborted.ts';

const CALL_MS = 5_000;
/** etcd reads every key for a hash: seconds per gigabyte. */
const HASH_MS = 120_000;
/**
 * Keys per answer. etcd reads their values as well, so more keys would cost it memory; and it counts all remaining keys
 * each time, so fewer would cost it time.
 */
const PAGE_KEYS = 5_000;
const PAGE_MS = 30_000;
/** gRPC's 4 MiB would be too little for a page of long keys. */
const PAGE_BYTES = 64 * 1024 * 1024;
/** To etcd: from this revision on. */
const EVERYTHING = Buffer.from([0]);
/**
 * etcd's own chunks of 32 KiB would cost every later stage a turn each; larger batches than this leave the processor's
 * cache between the stages.
 */
export const SNAPSHOT_BATCH_BYTES = 256 * 1024;

/**
 * A client of one member. It connects on the first call; close it after use.
 * @throws SalvorError `InvalidConfiguration` for certificates that can't be read
 */
export async function openMember(endpoint: MemberEndpoint): Promise<Member> {
  const credentials = await loadCredentials(endpoint);
  const scheme = endpoint.clientUrl.startsWith('https://') ? 'https' : 'http';
  const client = new Etcd3({
    // One host only: etcd3 picks any of several, and the answers must come from this member.
    hosts: `${scheme}://${addressOf(endpoint.clientUrl)}`,
    grpcOptions: { ...CHANNEL_OPTIONS, 'grpc.max_receive_message_length': PAGE_BYTES },
    ...(credentials.pem && { credentials: credentials.pem }),
    // Temporal does the retries, and a breaker that stays open would hide a member that is back.
    faultHandling: { host: () => noop, global: noop },
  });

  async function call<T>(
    tried: string,
    signal: AbortSignal,
    ask: (options: { deadline: number }) => Promise<T>,
    timeoutMs = CALL_MS,
  ): Promise<T> {
    signal.throwIfAborted();
    try {
      return await unlessAborted(ask({ deadline: Date.now() + timeoutMs }), signal);
    } catch (error) {
      signal.throwIfAborted();
      // A mistake in the code is not the member's fault.
      if (error instanceof TypeError) throw error;
      throw memberFailure(error, endpoint, tried);
    }
  }

  return {
    endpoint,
    async status(signal, timeoutMs) {
      const ask = (options: { deadline: number }) => client.maintenance.status(options);
      const status = await call('a status request', signal, ask, timeoutMs);
      const { header } = status;
      if (header === null) throw senseless(endpoint, 'a status without a header');
      return {
        clusterId: header.cluster_id,
        memberId: header.member_id,
        version: status.version,
        revision: header.revision,
        raftTerm: status.raftTerm,
        raftIndex: status.raftIndex,
        leaderId: status.leader,
        isLearner: status.isLearner,
        dbSizeBytes: Number(status.dbSize),
        dbSizeInUseBytes: Number(status.dbSizeInUse),
        errors: status.errors,
      };
    },
    async members(signal, { agreed = false } = {}) {
      const ask = (options: { deadline: number }) => client.cluster.memberList({ linearizable: agreed }, options);
      const { members } = await call('a member list', signal, ask);
      if (members.length === 0) throw senseless(endpoint, 'an empty member list');
      return members.map(({ ID, name, peerURLs, clientURLs, isLearner }) => ({
        id: ID,
        name,
        peerUrls: peerURLs,
        clientUrls: clientURLs,
        isLearner,
      }));
    },
    async hashKv(signal, revision) {
      const tried = `a hash of its keys at ${revision === undefined ? 'its newest revision' : `revision ${revision}`}`;
      return call(tried, signal, ({ deadline }) => readHashKv(endpoint, revision, deadline), HASH_MS);
    },
    async *keys(signal, revision, prefix) {
      const [first, end] = prefix === undefined ? [EVERYTHING, EVERYTHING] : rangeOf(prefix);
      const shape = { range_end: end, revision, limit: PAGE_KEYS, keys_only: true, serializable: true };
      let from = first;
      for (;;) {
        const ask = (options: { deadline: number }) => client.kv.range({ ...shape, key: from }, options);
        const { kvs, more } = await call(`its keys at revision ${revision}`, signal, ask, PAGE_MS);
        const last = kvs.at(-1);
        if (last === undefined) return;
        yield kvs.map(({ key, create_revision: createRevision, mod_revision: modRevision, version }) => ({
          key,
          createRevision,
          modRevision,
          version,
        }));
        if (!more) return;
        from = Buffer.concat([last.key, Buffer.from([0])]);
      }
    },
    async deleteUnchanged(signal, { key, modRevision }) {
      const unchanged = client.if(key, 'Mod', '==', modRevision).then(client.delete().key(key));
      const ask = (options: { deadline: number }) => unchanged.options(options).commit();
      const { succeeded } = await call(`the deletion of ${key.toString()}`, signal, ask);
      return succeeded;
    },
    async alarms(signal, timeoutMs) {
      const ask = (options: { deadline: number }) => client.maintenance.alarm({ action: AlarmAction.Get }, options);
      const { alarms } = await call('an alarm list', signal, ask, timeoutMs);
      return alarms.flatMap(({ memberID, alarm }) => {
        const name = alarm.toUpperCase();
        return isAlarm(name) ? [{ memberId: memberID, alarm: name }] : [];
      });
    },
    async addLearner(signal, peerUrl) {
      const request = { peerURLs: [peerUrl], isLearner: true };
      const tried = `to add ${peerUrl} as a learner`;
      const { member } = await call(tried, signal, (options) => client.cluster.memberAdd(request, options));
      if (!member?.isLearner) throw senseless(endpoint, 'a member that is not a learner');
      return member.ID;
    },
    async removeMember(signal, id) {
      await call(`to remove member ${id}`, signal, (options) => client.cluster.memberRemove({ ID: id }, options));
    },
    async promoteMember(signal, id) {
      await call(`to promote member ${id}`, signal, (options) => client.cluster.memberPromote({ ID: id }, options));
    },
    async moveLeader(signal, toId) {
      const tried = `to make member ${toId} the leader`;
      await call(tried, signal, (options) => client.maintenance.moveLeader({ targetID: toId }, options));
    },
    async clearAlarm(signal, memberId, alarm) {
      const which = alarm === 'CORRUPT' ? AlarmType.Corrupt : AlarmType.Nospace;
      const request = { action: AlarmAction.Deactivate, memberID: memberId, alarm: which };
      await call(`to clear ${alarm}`, signal, (options) => client.maintenance.alarm(request, options));
    },
    snapshot: (signal) => inBatches(readSnapshot(endpoint, signal), SNAPSHOT_BATCH_BYTES),
    close: () => client.close(),
  };
}

/** The keys that begin with a prefix: all from the prefix up to the first key after them. */
function rangeOf(prefix: string): [from: Buffer, to: Buffer] {
  const [from, to] = [Buffer.from(prefix), Buffer.from(prefix)];
  // The last byte of a text is never the highest one.
  to.writeUInt8(to.readUInt8(to.length - 1) + 1, to.length - 1);
  return [from, to];
}

// etcd's own names; etcd3's types say `Nospace` and `Corrupt`, but these are what arrives.
function isAlarm(alarm: string): alarm is 'NOSPACE' | 'CORRUPT' {
  return alarm === 'NOSPACE' || alarm === 'CORRUPT';
}

function senseless(endpoint: MemberEndpoint, what: string): SalvorError {
  return new SalvorError(
    'UnsafeState',
    `etcd on node ${endpoint.node} (${endpoint.clientUrl}) answered with ${what}; expected an etcd of version 3.4 or later`,
  );
}
