/** Chooses the member to replace, and checks whether the cluster can spare it. Pure. */
import { SalvorError } from '../errors.ts';
import type { MemberEntry, MemberState, Quorum } from './member-entry.ts';

export interface Replacement {
  /** The node that gets the new member. */
  node: string;
  state: MemberState;
  seen: string;
  /** The member to remove; null when etcd has none for the node. */
  remove: { id: string; name: string; peerUrls: string[]; isLearner: boolean; isLeader: boolean } | null;
  /** Nodes with healthy voting members, through which the member list is changed; followers come first. */
  through: string[];
}

export interface ReplacementWish {
  cluster: string;
  node?: string;
  /** Replace the named member although nothing is wrong with it. */
  healthy?: boolean;
}

/**
 * Decides which member is replaced.
 * @throws SalvorError `NoHealthyMember` when quorum is lost or would be lost; `UnsafeState` when not exactly one member
 * is unhealthy, or when it isn't the named one; `HostUnreachable` when nothing can be started on its node;
 * `InvalidInput` for a node that the configuration doesn't have
 */
export function planReplacement(entries: MemberEntry[], quorum: Quorum | null, wish: ReplacementWish): Replacement {
  refuseLostQuorum(entries, quorum, wish.cluster);
  const { target, old } = chooseTarget(entries, wish);
  const remove = old.id === null ? null : old;
  if (target.state === 'node-unreachable') {
    throw new SalvorError(
      'HostUnreachable',
      `nothing can be started on ${target.node}: ${target.seen}. Bring the node back, or put another in its place in the configuration, and replace the member then`,
    );
  }
  if (remove === null) refuseUnknown(entries);
  refuseUnlessSpared(entries, quorum, old);
  return {
    node: target.node ?? '',
    state: target.state,
    seen: [...new Set([target, old])].map(({ seen }) => seen).join('; '),
    remove: remove && {
      id: old.id ?? '',
      name: old.name,
      peerUrls: old.peerUrls,
      isLearner: old.state === 'learner' || old.role === 'learner',
      isLeader: old.role === 'leader',
    },
    through: spared(entries, old)
      .filter(({ node }) => node !== null)
      .sort((a, b) => Number(a.role === 'leader') - Number(b.role === 'leader'))
      .map(({ node }) => node ?? ''),
  };
}

function refuseLostQuorum(entries: MemberEntry[], quorum: Quorum | null, cluster: string): void {
  if (quorum !== null && quorum.up >= quorum.needed) return;
  const votes =
    quorum === null
      ? 'no member of etcd answers'
      : `etcd has ${quorum.voters} voting members and needs ${quorum.needed}; ${quorum.up} ${quorum.up === 1 ? 'is' : 'are'} there`;
  throw new SalvorError(
    'NoHealthyMember',
    `quorum is lost, and without it no member can be removed or added: ${votes} (${describe(entries.filter((entry) => !isWell(entry)))}). ` +
      `Bring a member back; if none can be, restore: \`salvor restore ${cluster} --confirm ${cluster}\``,
  );
}

/**
 * The entry of the node that gets a member, and the entry of the member that goes. They are the same, unless the node
 * takes the place of one that is no longer in the configuration.
 */
function chooseTarget(entries: MemberEntry[], wish: ReplacementWish): { target: MemberEntry; old: MemberEntry } {
  const named = entries.find(({ node }) => node !== null && node === wish.node);
  if (wish.node !== undefined && named === undefined) {
    const known = entries.flatMap(({ node }) => node ?? []);
    throw new SalvorError('InvalidInput', `no node is named "${wish.node}"; there are: ${known.join(', ')}`);
  }
  const ill = entries.filter((entry) => !isWell(entry));
  const missing = ill.filter(({ state }) => state === 'missing');
  const gone = ill.filter(({ state }) => state === 'gone');
  const [stands] = missing;
  const [left] = gone;
  const pair = stands && left && missing.length === 1 && gone.length === 1 ? { target: stands, old: left } : undefined;
  const count = ill.length - (pair ? 1 : 0);
  if (count > 1) {
    throw new SalvorError(
      'UnsafeState',
      `more than one member is unhealthy, and one is replaced at a time: ${describe(ill)}. Bring the others back first, each the simplest way: start it, or mend its node`,
    );
  }
  const [only] = ill;
  const found = pair ?? (only && { target: only, old: only });
  if (found === undefined) {
    if (named === undefined) {
      throw new SalvorError(
        'UnsafeState',
        `every member is healthy; nothing is replaced. To replace one all the same, name its node with --healthy: ${describe(entries)}`,
      );
    }
    if (!wish.healthy) {
      throw new SalvorError(
        'UnsafeState',
        `the member on ${named.node} is healthy (${named.seen}); nothing is replaced. To replace it all the same: --healthy`,
      );
    }
    return { target: named, old: named };
  }
  if (named !== undefined && named !== found.target) {
    throw new SalvorError(
      'UnsafeState',
      `the member on ${named.node} is healthy, and another is not: ${describe(ill)}. Replace that one, or bring it back, first`,
    );
  }
  if (found.target.node === null) {
    throw new SalvorError(
      'UnsafeState',
      `${describe([found.target])}: ${found.target.seen}. Put the node that is to have a member in its place into the configuration, and replace the member then`,
    );
  }
  if (found.old.state === 'moved' && found.old.role !== null && !wish.healthy) {
    throw new SalvorError(
      'UnsafeState',
      `the member of ${found.target.node} is healthy at another address: ${found.old.seen}. Correct the configuration, or replace the member all the same: --healthy`,
    );
  }
  return found;
}

/** Refuses to add a member while etcd has one that the configuration doesn't know: there would be one too many. */
function refuseUnknown(entries: MemberEntry[]): void {
  const unknown = entries.filter(({ state }) => state === 'unknown');
  if (unknown.length === 0) return;
  throw new SalvorError(
    'UnsafeState',
    `etcd has a member that no node of the configuration has, and it answers: ${describe(unknown)}. Add its node to the configuration, or take it out (\`etcdctl member remove\`), before another is added`,
  );
}

/** The members that stay have to agree on the removal, so enough of them must be healthy. */
function refuseUnlessSpared(entries: MemberEntry[], quorum: Quorum | null, old: MemberEntry): void {
  if (quorum === null || !isVoter(old)) return;
  const well = spared(entries, old);
  const voters = quorum.voters - 1;
  const needed = Math.floor(voters / 2) + 1;
  if (voters > 0 && well.length >= needed) return;
  throw new SalvorError(
    'NoHealthyMember',
    `without ${old.name} etcd could lose quorum: of ${quorum.voters} voting members (${quorum.needed} needed) ${voters} would be left, ` +
      `${needed} of them needed, and ${well.length} ${well.length === 1 ? 'is' : 'are'} healthy (${well.map(({ name }) => name).join(', ') || 'none'})`,
  );
}

/** The healthy voting members except one. */
function spared(entries: MemberEntry[], old: MemberEntry): MemberEntry[] {
  return entries.filter((entry) => entry !== old && isWell(entry));
}

function isVoter({ id, state, role }: MemberEntry): boolean {
  return id !== null && state !== 'learner' && role !== 'learner' && state !== 'missing';
}

function isWell({ state }: MemberEntry): boolean {
  return state === 'healthy' || state === 'unknown';
}

function describe(entries: MemberEntry[]): string {
  return entries
    .map(({ node, name, state }) => `${node ?? `${name || 'a member'} (in no configuration)`}: ${state}`)
    .join(', ');
}

/** Whether a learner is close enough to the leader to be promoted. etcd itself checks again before it promotes it. */
export function isInSync(leaderIndex: string, learnerIndex: string): boolean {
  const leader = Number(leaderIndex);
  const allowed = Math.min(1_000, Math.max(10, leader / 100));
  return Number(learnerIndex) > 0 && leader - Number(learnerIndex) <= allowed;
}

/**
 * The value of etcd's `--initial-cluster` for a member that joins. etcd requires every current member in it, with the
 * new one under the name that it will start with.
 */
export function initialClusterOf(
  members: { id: string; name: string; peerUrls: string[] }[],
  own: { id: string; name: string },
): string {
  return members
    .flatMap(({ id, name, peerUrls }) => peerUrls.map((url) => `${id === own.id ? own.name : name}=${url}`))
    .join(',');
}
