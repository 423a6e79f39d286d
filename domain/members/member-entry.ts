/** One etcd member as `salvor members` lists it. */

/**
 * The state of a member in one word. `healthy` and `unknown` members answer and vote; all other states need action.
 *
 * `leaderless`: it answers, but knows no leader. `corrupt`: its keys differ from the others', or etcd has raised the
 * CORRUPT alarm for it. `astray`: it answers, but not as a member of this cluster. `learner`: it was never promoted.
 * `not-started`: it was added, but never started. `stopped`, `crash-looping`, `silent` (it runs, but doesn't answer)
 * and `node-unreachable`: it doesn't answer. `moved`: etcd has it at another address than the configuration.
 * `missing`: the node has no member. `gone` and `unknown`: etcd has the member, but the configuration doesn't; a `gone`
 * member doesn't answer, an `unknown` one does.
 */
export type MemberState =
  | 'healthy'
  | 'leaderless'
  | 'corrupt'
  | 'astray'
  | 'learner'
  | 'not-started'
  | 'stopped'
  | 'crash-looping'
  | 'silent'
  | 'node-unreachable'
  | 'moved'
  | 'missing'
  | 'gone'
  | 'unknown';

/** One member, as etcd and its node describe it. Fields that nobody reports are null. */
export interface MemberEntry {
  /** The node of the configuration; null for a member that belongs to no configured node. */
  node: string | null;
  /** The member's name in etcd, or the name that it will have. */
  name: string;
  /** Decimal; null while etcd has no such member. */
  id: string | null;
  peerUrls: string[];
  state: MemberState;
  /** The reason for the state. */
  seen: string;
  role: 'leader' | 'follower' | 'learner' | null;
  version: string | null;
  revision: string | null;
  dbSizeBytes: number | null;
  dbSizeInUseBytes: number | null;
  /** The number of entries of etcd's log by which it is behind the most advanced member. */
  raftLag: number | null;
  alarms: string[];
  /** Whether it has the same keys as the majority at one revision. Null when it could not be compared. */
  hash: 'agrees' | 'differs' | null;
}

/** The number of voting members, how many of them are needed, and how many are up. */
export interface Quorum {
  voters: number;
  needed: number;
  up: number;
}
