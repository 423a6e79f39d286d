/**
 * Replaces one unhealthy etcd member while the others keep running. Checks and a backup come first, and quorum is never
 * at risk.
 */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import { checkConfirmation, checkInput } from '../../domain/input.ts';
import { backupIdOf } from '../../domain/format/keys.ts';
import { BACKUP_OVERRIDES } from '../../domain/backups/settled.ts';
import type { MemberEntry } from '../../domain/members/member-entry.ts';
import {
  REPLACE_MEMBER,
  type ReplaceMemberInput,
  type ReplaceMemberReport,
} from '../../domain/operations/replace-member.ts';
import { planReplacement, type Replacement } from '../../domain/members/replacement.ts';
import { changingSteps, replacementSteps } from '../../domain/members/steps.ts';
import { nodeOf } from '../../domain/nodes.ts';
import { look, preparing } from '../kit/activities.ts';
import { type Changed, changeMember, type MemberChange } from './change-member.ts';
import { ownWorkflowId, untouchable } from '../kit/engine.ts';
import { checked, failure, rethrowUnlessActivity } from '../kit/failure.ts';
import { type Hold, holdingCluster } from '../kit/hold-cluster.ts';
import { leftToDo } from './left-to-do.ts';
import { Abandoned, listenToPerson, type Person } from '../kit/person.ts';
import { putMemberBack } from './put-member-back.ts';
import { openRunbook, type Runbook } from '../kit/runbook.ts';
import { surveyCluster, type SurveyedCluster } from './survey-cluster.ts';
import { takeBackup } from '../backup/take-backup.ts';

export async function replaceMember(input: ReplaceMemberInput): Promise<ReplaceMemberReport> {
  const request = checked(() => {
    const valid = checkInput<ReplaceMemberInput>(input, REPLACE_MEMBER.shape);
    checkConfirmation(valid.cluster, valid.confirm);
    return valid;
  });
  const runbook = openRunbook('replaceMember', request.cluster);
  const person = listenToPerson('pause', () => runbook.show());
  const cluster = await look.readCluster({ cluster: request.cluster });
  if (traitsOf(cluster.flavour).isBackupOnly) {
    throw failure(
      'InvalidConfiguration',
      `${cluster.name}: replacing a member of the flavour "${cluster.flavour}" is not supported yet`,
    );
  }
  return await holdingCluster(
    cluster.name,
    'replaceMember',
    async (hold) => await replaceMemberOf({ cluster, runbook, person, hold }, request),
  );
}

interface Replacing {
  cluster: Cluster;
  runbook: Runbook;
  person: Person;
  hold: Hold;
}

async function replaceMemberOf(op: Replacing, request: ReplaceMemberInput): Promise<ReplaceMemberReport> {
  const { cluster, runbook, hold } = op;
  const operationId = backupIdOf(new Date());
  runbook.announce(replacementSteps());

  const before = await runbook.step(
    'Look at the members',
    null,
    async () => await surveyCluster(cluster),
    ({ members }) => inWords(members),
  );

  const plan = await runbook.step(
    'Choose the member',
    null,
    async () => checked(() => planReplacement(before.members, before.quorum, request)),
    ({ node, state, seen, remove }) =>
      `${node}, ${state}: ${seen}; ${remove === null ? 'etcd has no member of it' : `member ${remove.id} will be removed`}`,
  );
  const node = checked(() => nodeOf(cluster.nodes, plan.node));
  const dbSizeBytes = Math.max(0, ...before.members.map((member) => member.dbSizeBytes ?? 0));

  const found = await runbook.step(
    'Check the node',
    null,
    async () => await preparing(node).checkMemberNode({ cluster, node: node.name, dbSizeBytes }),
    ({ seen }) => `${node.name}: ${seen}`,
  );

  const saved = await runbook.step(
    'Take a backup',
    null,
    // This is the last moment to save the cluster, so it is saved in any state.
    async () =>
      await takeBackup(cluster, runbook, BACKUP_OVERRIDES, { node: node.name, memberId: plan.remove?.id ?? null }),
    ({ backup, state }) => `backup ${backup}, ${state}`,
  );

  const newest = await runbook.step(
    'Look once more before the change',
    null,
    async () => {
      await hold.confirm();
      return chosenAgain(plan, await surveyCluster(cluster), request);
    },
    ({ through }) => `still ${node.name}, through ${through.join(', ')}`,
  );

  const stopsApiServer = traitsOf(cluster.flavour).kubernetes?.hasOwnEtcdOnly ?? false;
  runbook.announce(changingSteps({ node: node.name, stopsApiServer, joinsItself: found.joinsItself }));
  // From here on the cluster is touched: neither a failure nor a cancellation may leave it half-changed.
  const end = await untouchable(async () => {
    const ended = await changeOrPutBack({ cluster, node, plan: newest, found, operationId }, op);
    return { ...ended, toDo: ended.outcome === 'replaced' ? await leftToDo(cluster, node, plan.remove) : [] };
  });
  return {
    cluster: cluster.name,
    node: node.name,
    ...end,
    found: { state: plan.state, seen: plan.seen },
    before: before.members,
    backup: saved.backup,
    steps: runbook.steps,
    workflowId: ownWorkflowId(),
  };
}

/**
 * Chooses again, since the backup took a while: the same member must be the one to remove, and the change must go
 * through members that are healthy now.
 */
function chosenAgain(
  plan: Replacement,
  { members, quorum }: SurveyedCluster,
  request: ReplaceMemberInput,
): Replacement {
  const newest = checked(() => planReplacement(members, quorum, request));
  if (newest.node === plan.node && newest.remove?.id === plan.remove?.id) return newest;
  throw failure(
    'UnsafeState',
    `the cluster changed while the backup was taken: the member of ${plan.node} was to be replaced, now it would be that of ${newest.node} (${inWords(members)}). Nothing was touched; look at it with \`salvor member list ${request.cluster}\``,
  );
}

type End = Pick<ReplaceMemberReport, 'outcome' | 'problem' | 'removed' | 'added' | 'after' | 'setAside'>;

/**
 * Changes the cluster. If a step can't succeed, a person decides: it is done again, everything is put back (while the
 * old member still exists), or the cluster is left as it is.
 */
async function changeOrPutBack(change: MemberChange, { runbook, person, hold }: Replacing): Promise<End> {
  const { cluster, node } = change;
  const insisting = runbook.insisting(person, hold);
  const changed: Changed = { removed: null, added: null, setAside: [] };
  const kept = () => ({ ...changed, setAside: changed.setAside.map((path) => ({ node: node.name, path })) });
  try {
    const { members } = await changeMember(change, changed, insisting, person);
    return { outcome: 'replaced', problem: null, ...kept(), after: members };
  } catch (error) {
    if (!(error instanceof Abandoned)) throw error;
    if (error.decision === 'abort') {
      return { outcome: 'aborted', problem: error.message, ...kept(), after: await membersNow(cluster) };
    }
    person.beginRollback();
    try {
      await putMemberBack(change, insisting);
      return {
        outcome: 'rolled-back',
        problem: error.message,
        ...kept(),
        setAside: [],
        after: await membersNow(cluster),
      };
    } catch (second) {
      if (!(second instanceof Abandoned)) throw second;
      const problem = `${error.message}; then, rolling back: ${second.message}`;
      return { outcome: 'aborted', problem, ...kept(), after: await membersNow(cluster) };
    }
  }
}

/** Only for the report, so it doesn't wait for a cluster that doesn't answer. */
async function membersNow(cluster: Cluster): Promise<MemberEntry[] | null> {
  try {
    return (await surveyCluster(cluster)).members;
  } catch (error) {
    rethrowUnlessActivity(error);
    return null;
  }
}

function inWords(members: MemberEntry[]): string {
  return members.map(({ node, name, state }) => `${node ?? name}: ${state}`).join(', ');
}
