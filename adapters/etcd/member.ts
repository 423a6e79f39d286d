/** What Salvor asks of one etcd member; `client.ts` does it. */
import type { KeyVersion } from '../../domain/restore/changes.ts';
import type { ListedMember } from '../../domain/members/members.ts';

export interface MemberEndpoint {
  /** The node's name, for messages. */
  node: string;
  clientUrl: string;
  /** PEM files of the worker. */
  tls?: { ca: string; cert: string; key: string };
  /** In place of `tls`, what gives their content. */
  readTls?: () => Promise<Pem>;
}

export interface Pem {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
  /** Where they come from, for messages. */
  where: string;
}

/** etcd's 64-bit IDs and revisions are decimal strings. */
export interface MemberStatus {
  clusterId: string;
  memberId: string;
  version: string;
  revision: string;
  raftTerm: string;
  raftIndex: string;
  /** `0` while there is none. */
  leaderId: string;
  isLearner: boolean;
  dbSizeBytes: number;
  dbSizeInUseBytes: number;
  /** Messages of etcd itself, such as `memberID:… alarm:NOSPACE`. */
  errors: string[];
}

export interface HashAtRevision {
  revision: string;
  /** `-1` before the first compaction. */
  compactRevision: string;
  /**
   * Decimal. Equal for members with the same keys at this revision and the same compaction; not to be compared
   * otherwise.
   */
  hash: string;
}

/**
 * One member, asked through its own client URL and no other. Every method ends within its deadline and throws
 * SalvorError: `MemberUnreachable` for anything that may pass, `AccessDenied` for certificates or credentials that etcd
 * refuses, `UnsafeState` for an answer that makes no sense. An abort throws the signal's own reason.
 */
export interface Member {
  readonly endpoint: MemberEndpoint;
  /** @param timeoutMs default 5,000 */
  status(signal: AbortSignal, timeoutMs?: number): Promise<MemberStatus>;
  /** As the member itself has them; with `agreed` as all of them do, which needs a quorum. */
  members(signal: AbortSignal, options?: { agreed?: boolean }): Promise<ListedMember[]>;
  /**
   * The hash of the key space up to a revision; the newest when none is given. Takes seconds per gigabyte. Throws
   * `ClusterNotReady` for a revision that the member doesn't have yet, or has compacted.
   */
  hashKv(signal: AbortSignal, revision?: string): Promise<HashAtRevision>;
  /**
   * Every key there was at a revision, or each that begins with the prefix, in pages that are never empty, in the order
   * of their bytes. This member alone is asked, so quorum isn't needed; values stay there. Throws `ClusterNotReady` for
   * a revision that the member doesn't have yet, or has compacted.
   */
  keys(signal: AbortSignal, revision: string, prefix?: string): AsyncIterable<KeyVersion[]>;
  /** Deletes a key that is as it was seen; false when it isn't any more. Needs quorum. */
  deleteUnchanged(signal: AbortSignal, key: KeyVersion): Promise<boolean>;
  /**
   * The alarms of all members. etcd agrees on them first: without quorum there is no answer; `status` tells the
   * member's own even then.
   */
  alarms(signal: AbortSignal, timeoutMs?: number): Promise<{ memberId: string; alarm: 'NOSPACE' | 'CORRUPT' }[]>;
  /**
   * The Snapshot RPC's bytes: the database and, as the last 32 bytes, its SHA-256. Backpressure reaches etcd. The
   * iteration throws `SnapshotInterrupted` unless the stream ended by itself with nothing remaining; before the first
   * byte also what the other methods throw.
   */
  snapshot(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Makes room for a member that does not vote yet, and gives its ID. */
  addLearner(signal: AbortSignal, peerUrl: string): Promise<string>;
  removeMember(signal: AbortSignal, id: string): Promise<void>;
  /** Throws `MemberUnreachable` while the learner is not in sync. */
  promoteMember(signal: AbortSignal, id: string): Promise<void>;
  /** Only the leader can do it. */
  moveLeader(signal: AbortSignal, toId: string): Promise<void>;
  /** What CORRUPT or NOSPACE had stopped for all members goes on, once no member's alarm is left. */
  clearAlarm(signal: AbortSignal, memberId: string, alarm: 'NOSPACE' | 'CORRUPT'): Promise<void>;
  close(): void;
}
