/**
 * The part of a replacement that changes the cluster: it removes the old member, adds a learner, and promotes the
 * learner once it holds everything.
 */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import type { MemberEntry } from '../../domain/members/member-entry.ts';
import { initialClusterOf, type Replacement } from '../../domain/members/replacement.ts';
import { formatBytes } from '../../domain/units.ts';
import { changing, gate, type preparing } from '../kit/activities.ts';
import { startedSo, stoppedSo } from '../restore/start-and-stop.ts';
import { failure } from '../kit/failure.ts';
import type { Person } from '../kit/person.ts';
import type { Runbook } from '../kit/runbook.ts';
import { seconds } from '../kit/words.ts';

/** How long a learner may receive nothing before a person must look at it. */
const STALLED_MS = 5 * 60_000;

export interface MemberChange {
  cluster: Cluster;
  node: ClusterNode;
  plan: Replacement;
  /** The state of the node before it was touched. */
  found: Awaited<ReturnType<ReturnType<typeof preparing>['checkMemberNode']>>;
  operationId: string;
}

/** What has been done so far, for the report of an operation that ends before everything is done. */
export interface Changed {
  removed: { id: string; name: string; peerUrls: string[] } | null;
  added: string | null;
  /** Paths on the node. */
  setAside: string[];
}

/** Replaces the member, and fills `changed` along the way. */
export async function changeMember(
  change: MemberChange,
  changed: Changed,
  runbook: Runbook,
  person: Person,
): Promise<{ members: MemberEntry[] }> {
  const { cluster, node, plan, found } = change;
  const { through } = plan;
  const joinInstruction = traitsOf(cluster.flavour).kubernetes?.joinInstruction;
  if (found.joinsItself && joinInstruction) {
    const instruction = joinInstruction({ cluster: cluster.name, node, through: through[0] ?? 'another node' });
    await removeMember(change, changed, runbook, person);
    const { memberId } = await runbook.step(
      'Join the node with kubeadm',
      node.name,
      async () => await gate.checkJoined({ cluster, through, node: node.name, instruction }),
      ({ memberId: joined }) => `it votes as member ${joined}`,
    );
    changed.added = memberId;
    return await checkMembers(change, runbook);
  }
  await freeNode(change, changed, runbook);
  await removeMember(change, changed, runbook, person);
  await addMember(change, changed, runbook);
  const checked = await checkMembers(change, runbook);
  await startKubernetes(change, runbook);
  return checked;
}

/** Makes sure that the node neither leads the cluster nor runs etcd, and sets its old data aside. */
async function freeNode({ cluster, node, plan, operationId }: MemberChange, changed: Changed, runbook: Runbook) {
  const { remove, through } = plan;
  await runbook.step(
    'Move the leadership away',
    null,
    async () => (remove === null ? null : await gate.moveLeaderAway({ cluster, through, memberId: remove.id })),
    (moved) =>
      moved === null ? 'it is not a member' : `${moved.changed ? 'handed over; ' : ''}member ${moved.leader} leads`,
  );
  if (traitsOf(cluster.flavour).kubernetes?.hasOwnEtcdOnly) {
    // This kube-apiserver uses only its own node's etcd. Left running, it would fail again and again, and be restarted
    // ever more rarely.
    await runbook.step(
      'Stop kube-apiserver',
      node.name,
      async () => await changing(node).stopApiServer({ cluster, node: node.name }),
      stoppedSo,
    );
  }
  await runbook.step(
    'Stop etcd',
    node.name,
    async () => await changing(node).stopEtcd({ cluster, node: node.name, restarts: true }),
    stoppedSo,
  );
  const { setAside } = await runbook.step(
    'Set the old data aside',
    node.name,
    async () => await changing(node).setMemberDataAside({ cluster, node: node.name, operationId }),
    ({ setAside: path }) => path ?? 'there was none',
  );
  if (setAside !== null) changed.setAside.push(setAside);
}

async function removeMember({ cluster, plan }: MemberChange, changed: Changed, runbook: Runbook, person: Person) {
  const { remove, through } = plan;
  // What was removed once never comes back by its old data: etcd would refuse it.
  person.passPointOfNoReturn('the old member has been removed from the cluster, and there is no way back to it');
  await runbook.step(
    'Remove the member',
    null,
    async () => (remove === null ? null : await gate.removeMember({ cluster, through, memberId: remove.id })),
    (gone) =>
      gone === null
        ? 'etcd had no such member'
        : [
            gone.changed ? `${gone.members} members are left, and agree` : 'it had already been removed',
            ...gone.cleared.map((alarm) => `its ${alarm} alarm is cleared`),
          ].join('; '),
  );
  if (remove !== null) changed.removed = { id: remove.id, name: remove.name, peerUrls: remove.peerUrls };
}

async function addMember({ cluster, node, plan, operationId }: MemberChange, changed: Changed, runbook: Runbook) {
  const { through } = plan;
  const added = await runbook.step(
    'Add a learner',
    null,
    async () => await gate.addLearner({ cluster, through, peerUrl: node.etcd.peerUrl }),
    ({ memberId, changed: isNew }) =>
      `member ${memberId}${isNew ? '' : ', which already existed'}, at ${node.etcd.peerUrl}`,
  );
  const { memberId } = added;
  changed.added = memberId;
  const initialCluster = initialClusterOf(added.members, { id: memberId, name: node.etcd.memberName });
  const configured = await runbook.step(
    'Write its configuration',
    node.name,
    async () => await changing(node).configureMember({ cluster, node: node.name, operationId, initialCluster }),
    ({ path, setAside }) => `${path}${setAside.length === 0 ? '' : `; kept: ${setAside.join(', ')}`}`,
  );
  changed.setAside.push(...configured.setAside);
  await runbook.step(
    'Start etcd',
    node.name,
    async () => await changing(node).startEtcd({ cluster, node: node.name }),
    startedSo,
  );
  await runbook.step(
    'Wait until it is in sync',
    node.name,
    async (tell) => await untilInSync({ cluster, through, node: node.name }, tell),
    (seen) => progressInWords(seen),
  );
  await runbook.step(
    'Promote it',
    node.name,
    async () => await gate.promoteMember({ cluster, through, memberId }),
    ({ changed: isNew }) => (isNew ? 'it votes' : 'it already voted'),
  );
}

type LearnerSeen = Awaited<ReturnType<typeof gate.watchLearner>>;

async function untilInSync(
  order: Parameters<typeof gate.watchLearner>[0],
  tell: (seen: string) => void,
): Promise<LearnerSeen> {
  let reached = 0;
  let sinceMs = Date.now();
  for (;;) {
    const seen = await gate.watchLearner(order);
    if (seen.inSync) return seen;
    tell(progressInWords(seen));
    const now = Number(seen.index) + seen.dbSizeBytes;
    if (now > reached) {
      reached = now;
      sinceMs = Date.now();
    }
    if (Date.now() - sinceMs > STALLED_MS) {
      throw failure(
        'ComponentStuck',
        `the learner has received nothing for ${seconds(STALLED_MS)}: ${progressInWords(seen)}; look at etcd's log on the node`,
      );
    }
  }
}

function progressInWords({ index, leaderIndex, dbSizeBytes, leaderDbSizeBytes, problem }: LearnerSeen): string {
  const far = `entry ${index} of ${leaderIndex}, ${formatBytes(dbSizeBytes)} of ${formatBytes(leaderDbSizeBytes)}`;
  return problem === undefined ? far : `${far}; ${problem}`;
}

async function checkMembers({ cluster, plan }: MemberChange, runbook: Runbook): Promise<{ members: MemberEntry[] }> {
  return await runbook.step(
    'Check the members',
    null,
    async () => await gate.checkMembers({ cluster, removed: plan.remove?.id ?? null }),
    ({ quorum }) =>
      `${quorum?.up ?? 0} of ${quorum?.voters ?? 0} voting members are healthy and hold the same keys, no alarm`,
  );
}

async function startKubernetes({ cluster, node }: MemberChange, runbook: Runbook): Promise<void> {
  if (!traitsOf(cluster.flavour).kubernetes?.hasOwnEtcdOnly) return;
  const order = { cluster, node: node.name };
  await runbook.step(
    'Start kube-apiserver',
    node.name,
    async () => await changing(node).startApiServer(order),
    startedSo,
  );
  await runbook.step(
    'Check kube-apiserver',
    node.name,
    async () => await changing(node).checkApiServer(order),
    ({ seen }) => seen,
  );
  await runbook.step(
    'Start the controllers',
    node.name,
    async () => await changing(node).startControllers(order),
    startedSo,
  );
}
