/** Operations that follow a script, for the tests of the command line: `cluster` says how they go. */
import { ApplicationFailure, condition, defineQuery, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { BackupInput, BackupReport } from '../../domain/operations/backup.ts';
import type { CheckClusterInput, CheckClusterReport } from '../../domain/operations/check-cluster.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import type { StepName, StepRecord } from '../../domain/operations/steps.ts';
import type { ListBackupsInput, ListBackupsReport } from '../../domain/operations/list-backups.ts';
import type { RestoreInput, RestoreReport } from '../../domain/operations/restore.ts';

const progressQuery = defineQuery<Progress>('progress');

const NODES = ['m1', 'm2', 'm3'];

export async function backup({ cluster }: BackupInput): Promise<BackupReport> {
  const steps: StepRecord[] = [];
  openProgress({
    operation: 'backup',
    cluster,
    startedAt: startTime(),
    doing: 'Stream the snapshot',
    waitingFor: null,
    steps,
  });
  const step = begin(steps, 'Stream the snapshot', 'm1');
  if (cluster === 'endless') await condition(() => false);
  if (cluster === 'slow') await sleep(2_000);
  step.state = 'done';
  step.durationMs = 1_200;
  step.evidence = 'revision 4200';
  if (cluster === 'divided') throw nested('MembersDisagree', 'm1+m2 against m3\u001b[2J');
  if (cluster === 'unknown') throw nested('UnknownCluster', 'no cluster is named "unknown"; there are: lab');
  if (cluster === 'strange') throw ApplicationFailure.nonRetryable('something else', 'NotOfTheList');
  const failed = cluster === 'degraded';
  const sha256 = 'ab'.repeat(32);
  const copies: BackupReport['artifacts'][number]['copies'] = [
    { store: 'local', key: 'k', state: 'complete' },
    {
      store: 'offsite',
      key: 'k',
      state: failed ? 'failed' : 'complete',
      ...(failed && { error: 'connection refused' }),
    },
  ];
  return {
    backup: '20261123-060000',
    cluster,
    node: 'm1',
    takenAt: '2026-11-23T06:00:00.000Z',
    state: failed ? 'degraded' : 'complete',
    revision: '4200',
    totalKeys: 5012,
    artifacts: [{ kind: 'snapshot', bytes: 12_345_678, sha256, copies }],
    durationMs: 4_200,
  };
}

export async function listBackups({ cluster }: ListBackupsInput): Promise<ListBackupsReport> {
  const unreadable = cluster === 'degraded' ? [{ store: 'offsite', error: 'connection refused' }] : [];
  return { cluster, backups: [], unreadable };
}

export async function checkCluster({ cluster }: CheckClusterInput): Promise<CheckClusterReport> {
  const ok = cluster !== 'degraded';
  return { cluster, checks: [{ name: 'stores', ok, seen: ok ? 'local: reads and writes' : 'offsite: refused' }] };
}

export async function restore({ cluster, backup = 'latest' }: RestoreInput): Promise<RestoreReport> {
  const steps: StepRecord[] = [];
  openProgress({ operation: 'restore', cluster, startedAt: startTime(), doing: '', waitingFor: null, steps });
  const each = (name: StepName) => NODES.map((node) => begin(steps, name, node, 'waiting'));
  const find = begin(steps, 'Find the backup', null);
  const names: StepName[] = [
    'Open the journal',
    'Stage the new data directory',
    'Stop kube-apiserver',
    'Stop etcd',
    'Start etcd',
    'Start kube-apiserver',
  ];
  const all = names.map((name) => each(name));
  // Temporal's timers tick in seconds: only the slow one has any.
  const pauseMs = 1_000;
  const pause = async () => cluster === 'slow' && (await sleep(pauseMs));
  await pause();
  Object.assign(find, { state: 'done', durationMs: 200, evidence: '20261123-060000 in local' });
  for (const group of all) {
    for (const [index, step] of group.entries()) {
      Object.assign(step, { state: 'running', startedAt: startTime() });
      await pause();
      Object.assign(step, { state: 'done', durationMs: pauseMs * (index + 1), evidence: 'seen' });
    }
  }
  return {
    cluster,
    backup: backup === 'latest' ? '20261123-060000' : backup,
    outcome: cluster === 'undone' ? 'rolled-back' : 'restored',
    problem: null,
    downtimeMs: 47_000,
    revision: { before: '4300', snapshot: '4200', after: '1004200' },
    clusterId: { before: '1', after: '2' },
    steps,
    setAside: NODES.map((node) => ({ node, path: '/var/lib/etcd/member.before-restore-1' })),
    workflowId: workflowInfo().workflowId,
  };
}

function openProgress(progress: Progress): void {
  setHandler(progressQuery, () => progress);
}

function begin(
  steps: StepRecord[],
  name: StepName,
  node: string | null,
  state: StepRecord['state'] = 'running',
): StepRecord {
  const step: StepRecord = { name, node, state, startedAt: null, durationMs: null, evidence: null };
  steps.push(step);
  return step;
}

function startTime(): string {
  return workflowInfo().startTime.toISOString();
}

/** As a failure arrives from an activity: inside others. */
function nested(type: string, message: string): ApplicationFailure {
  const cause = ApplicationFailure.nonRetryable(message, type);
  return ApplicationFailure.create({ message: 'Activity task failed', type: 'Wrapper', nonRetryable: true, cause });
}
