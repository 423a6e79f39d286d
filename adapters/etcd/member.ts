/** What Salvor asks one etcd member; `client.ts` implements it. */
import type { KeyVersion } from '../../domain/restore/changes.ts';
import type { ListedMember } from '../../domain/members/members.ts';

export interface MemberEndpoint {
  /** The node's name, for messages. */
  node: string;
  clientUrl: string;
  /** PEM files of the worker. */
  tls?: { ca: string; cert: string; key: string };
  /** Replaces `tls`: a function that returns the files' contents. */
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
  /** `0` while the cluster has no leader. */
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
   * Decimal. Equal for members with the same keys at this revision and the same compaction; hashes can't be compared
   * otherwise.
   */
  hash: string;
}

/**
 * One member, asked only through its own client URL. Every method ends within its deadline and throws SalvorError:
 * `MemberUnreachable` for anything that may pass by itself, `AccessDenied` for certificates or credentials that etcd
 * refuses, `UnsafeState` for an answer that makes no sense. An abort throws the signal's own reason.
 */
export interface Member {
  readonly endpoint: MemberEndpoint;
  /** @param timeoutMs default 5,000 */
  status(signal: AbortSignal, timeoutMs?: number): Promise<MemberStatus>;
  /** As the member itself lists them; with `agreed`, as all members do, which needs a quorum. */
  members(signal: AbortSignal, options?: { agreed?: boolean }): Promise<ListedMember[]>;
  /**
   * The hash of the key space up to a revision; without one, up to the newest. Takes seconds per gigabyte. Throws
   * `ClusterNotReady` for a revision that the member doesn't have yet or has compacted.
   */
  hashKv(signal: AbortSignal, revision?: string): Promise<HashAtRevision>;
  /**
   * Every key at a revision, or every key with the prefix, in byte order and in pages that are never empty. Only this
   * member is asked, so no quorum is needed, and no values are sent. Throws `ClusterNotReady` for a revision that the
   * member doesn't have yet or has compacted.
   */
  keys(signal: AbortSignal, revision: string, prefix?: string): AsyncIterable<KeyVersion[]>;
  /** Deletes a key if it is still as it was seen; otherwise returns false. Needs quorum. */
  deleteUnchanged(signal: AbortSignal, key: KeyVersion): Promise<boolean>;
  /**
   * The alarms of all members. etcd agrees on them first, so without quorum there is no answer; `status` reports the
   * member's own alarms even then.
   */
  alarms(signal: AbortSignal, timeoutMs?: number): Promise<{ memberId: string; alarm: 'NOSPACE' | 'CORRUPT' }[]>;
  /**
   * The Snapshot RPC's bytes: the database and, as the last 32 bytes, its SHA-256. Backpressure reaches etcd. The
   * iteration throws `SnapshotInterrupted` unless the stream ended by itself with nothing remaining; before the first
   * byte it also throws what the other methods throw.
   */
  snapshot(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Adds a member that does not vote yet, and returns its ID. */
  addLearner(signal: AbortSignal, peerUrl: string): Promise<string>;
  removeMember(signal: AbortSignal, id: string): Promise<void>;
  /** Throws `MemberUnreachable` while the learner is not in sync. */
  promoteMember(signal: AbortSignal, id: string): Promise<void>;
  /** Only the leader can do this. */
  moveLeader(signal: AbortSignal, toId: string): Promise<void>;
  /**
   * Clears an alarm. Once no member has CORRUPT or NOSPACE any more, all members accept again what these alarms had
   * stopped.
   */
  clearAlarm(signal: AbortSignal, memberId: string, alarm: 'NOSPACE' | 'CORRUPT'): Promise<void>;
  close(): void;
}
