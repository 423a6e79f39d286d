/** One member of etcd as a list shows it. */

/**
 * What a member is, in one word. `healthy` and `unknown` answer and vote; the others want something done about them.
 *
 * `leaderless`: it answers and knows no leader. `corrupt`: its keys differ from the others', or etcd has raised the
 * CORRUPT alarm for it. `astray`: it answers, but not as a member of this cluster. `learner`: never promoted.
 * `not-started`: added, and never heard of. `stopped`, `crash-looping`, `silent` (runs, and doesn't answer) and
 * `node-unreachable` don't answer. `moved`: etcd has it under another address than the configuration. `missing`: the
 * node has none. `gone` and `unknown`: etcd has it and the configuration doesn't; the first doesn't answer, the second
 * does.
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

/** One member, as etcd and its node show it. What nobody tells is null. */
export interface MemberEntry {
  /** The node of the configuration; null for a member that none has. */
  node: string | null;
  /** The member's name in etcd, or the one that it is to have. */
  name: string;
  /** Decimal; null while etcd has no such member. */
  id: string | null;
  peerUrls: string[];
  state: MemberState;
  /** Why it is said to be so. */
  seen: string;
  role: 'leader' | 'follower' | 'learner' | null;
  version: string | null;
  revision: string | null;
  dbSizeBytes: number | null;
  dbSizeInUseBytes: number | null;
  /** How many entries of etcd's log it is behind the most advanced member. */
  raftLag: number | null;
  alarms: string[];
  /** Whether its keys are those of the majority, at one revision. Null when it could not be compared. */
  hash: 'agrees' | 'differs' | null;
}

/** How many members vote, how many of them are needed, and how many are there. */
export interface Quorum {
  voters: number;
  needed: number;
  up: number;
}
