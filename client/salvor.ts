/** The library for incident tooling: it starts operations, follows them and lists them. */
import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { backupIdOf } from '../domain/format/keys.ts';
import type { BackupInput } from '../domain/operations/backup.ts';
import type { CheckClusterInput } from '../domain/operations/check-cluster.ts';
import type { CleanUpInput } from '../domain/operations/clean-up.ts';
import { TASK_QUEUE } from '../domain/operations/common.ts';
import type { HealInput } from '../domain/operations/heal.ts';
import { type InputOf, type Operation, rowOf } from '../domain/operations/index.ts';
import type { ListBackupsInput, ListBackupsReport } from '../domain/operations/list-backups.ts';
import type { ListMembersInput } from '../domain/operations/list-members.ts';
import type { PinInput } from '../domain/operations/pin.ts';
import type { PlanRestoreInput } from '../domain/operations/plan-restore.ts';
import type { PruneInput } from '../domain/operations/prune.ts';
import type { ReplaceMemberInput } from '../domain/operations/replace-member.ts';
import type { RestoreInput } from '../domain/operations/restore.ts';
import type { VerifyInput } from '../domain/operations/verify.ts';
import { asking, type TemporalPlace } from './errors.ts';
import { OperationHandle } from './handle.ts';
import { holderOf } from './holder.ts';
import { withOlderPages } from './older-pages.ts';
import { listOperations, type OperationFilter, type OperationSummary } from './list.ts';
import { ScheduleClient } from './schedules/schedule-client.ts';
import { searchAttributesOf } from './search-attributes.ts';
import { type SetupReport, setUp } from './setup.ts';
import { whoAsks } from './who.ts';
import { lastWorkerPoll } from './workers.ts';

export interface StartOptions {
  /** One line for the Temporal UI. Default: the operation and the cluster. */
  summary?: string;
  /** Default `<operation>/<cluster>/<time>-<random>`. The ID of a running operation causes `ClusterBusy`. */
  workflowId?: string;
}

/** Every method throws {@link SalvorOperationError}. Get a client from `connect()` and close it at the end. */
export class SalvorClient {
  readonly place: TemporalPlace;
  readonly taskQueue: string;
  /** The schedules for backups, prunes and drills. */
  readonly schedules: ScheduleClient;
  /** Temporal's own client, for anything that this one lacks. */
  readonly temporal: Client;

  constructor(temporal: Client, place: TemporalPlace, taskQueue: string = TASK_QUEUE) {
    this.temporal = temporal;
    this.place = place;
    this.taskQueue = taskQueue;
    this.schedules = new ScheduleClient(temporal, place, taskQueue);
  }

  /** Takes a backup. */
  backup(input: BackupInput): Promise<OperationHandle<'backup'>> {
    return this.start('backup', input);
  }

  /**
   * Lists one page of a cluster's backups, newest first, from its stores: about the newest 2,000, unless `input` asks
   * for others.
   */
  backups(input: ListBackupsInput): Promise<OperationHandle<'listBackups'>> {
    return this.start('listBackups', input);
  }

  /**
   * Lists all of a cluster's backups, newest first, however many there are.
   * @param signal ends the waiting; then the signal's reason is thrown
   */
  async allBackups(
    input: Pick<ListBackupsInput, 'cluster' | 'store'>,
    signal?: AbortSignal,
  ): Promise<ListBackupsReport> {
    const newest = await this.backups(input);
    return await withOlderPages(this, input, await newest.result(signal), signal);
  }

  /** What a restore would do, and the digest that approves it. It touches nothing. */
  planRestore(input: PlanRestoreInput): Promise<OperationHandle<'planRestore'>> {
    return this.start('planRestore', input);
  }

  /**
   * Restores a cluster. Destructive: `confirm` must repeat the cluster's name, and the plan must be approved, either by
   * `approve` here or later by the handle's {@link OperationHandle.approve}.
   */
  restore(input: RestoreInput): Promise<OperationHandle<'restore'>> {
    return this.start('restore', input, { summary: restoreSummary(input) });
  }

  /** Removes the data directories that restores moved aside; with `dryRun` it only lists them. */
  cleanUp(input: CleanUpInput): Promise<OperationHandle<'cleanUp'>> {
    return this.start('cleanUp', input);
  }

  /** Removes the backups that their stores' retention rules no longer keep; with `dryRun` it only lists them. */
  prune(input: PruneInput): Promise<OperationHandle<'prune'>> {
    return this.start('prune', input);
  }

  /** Protects a backup from pruning, or ends that protection. */
  pin(input: PinInput): Promise<OperationHandle<'pin'>> {
    return this.start('pin', input, {
      summary: `${input.pinned ? 'Pin' : 'Unpin'} ${input.backup} of ${input.cluster}`,
    });
  }

  /** Proves a backup by a restore in scratch. It fails with `BackupCorrupt` if the backup is faulty. */
  verify(input: VerifyInput): Promise<OperationHandle<'verify'>> {
    return this.start('verify', input);
  }

  /** Copies the missing parts of backups from stores that have them to stores that lack them. */
  heal(input: HealInput): Promise<OperationHandle<'heal'>> {
    return this.start('heal', input);
  }

  /** Lists a cluster's etcd members, their state, and what is wrong with them. */
  members(input: ListMembersInput): Promise<OperationHandle<'listMembers'>> {
    return this.start('listMembers', input);
  }

  /** Replaces an unhealthy etcd member. Its data is moved aside: `confirm` must repeat the cluster's name. */
  replaceMember(input: ReplaceMemberInput): Promise<OperationHandle<'replaceMember'>> {
    return this.start('replaceMember', input);
  }

  /** Checks everything that operations on a cluster need, and changes nothing. */
  checkCluster(input: CheckClusterInput): Promise<OperationHandle<'checkCluster'>> {
    return this.start('checkCluster', input);
  }

  /** Starts an operation; its workflow checks the input. */
  async start<O extends Operation>(
    operation: O,
    input: InputOf<O>,
    options: StartOptions = {},
  ): Promise<OperationHandle<O>> {
    const { title, subjectOf } = rowOf(operation);
    const cluster = subjectOf(input);
    const workflowId = options.workflowId ?? newWorkflowId(operation, cluster);
    return this.#ask(async () => {
      const handle = await this.temporal.workflow.start(operation, {
        workflowId,
        taskQueue: this.taskQueue,
        args: [input],
        workflowIdConflictPolicy: 'FAIL',
        staticSummary: options.summary ?? `${title} ${cluster}`,
        memo: { startedBy: whoAsks() },
        typedSearchAttributes: searchAttributesOf(operation, cluster),
      });
      return new OperationHandle<O>(this.temporal, this.place, workflowId, handle.firstExecutionRunId);
    });
  }

  /** Finds an operation that was started earlier by its workflow ID. */
  operation(workflowId: string): OperationHandle {
    return new OperationHandle(this.temporal, this.place, workflowId);
  }

  /** The operation that currently holds a cluster, if any. */
  async holder(cluster: string): Promise<OperationHandle | undefined> {
    return this.#ask(async () => {
      const workflowId = await holderOf(this.temporal, cluster);
      return workflowId === undefined ? undefined : this.operation(workflowId);
    });
  }

  /** Lists the operations of one cluster or of all, newest first. */
  async operations(filter: OperationFilter = {}): Promise<OperationSummary[]> {
    return this.#ask(() => listOperations(this.temporal, filter));
  }

  /** When a worker last asked for work; undefined if none did in the few minutes that Temporal remembers. */
  async lastWorkerPoll(): Promise<Date | undefined> {
    return this.#ask(() => lastWorkerPoll(this.temporal, this.taskQueue));
  }

  /** Registers the search attributes, and creates the namespace if it is missing. A second call changes nothing. */
  async setup(options: { retentionDays?: number } = {}): Promise<SetupReport> {
    return this.#ask(() => setUp(this.temporal, this.place.namespace, options));
  }

  async close(): Promise<void> {
    await this.temporal.connection.close();
  }

  #ask<T>(ask: () => Promise<T>): Promise<T> {
    return asking(this.place, ask);
  }
}

/** One line for people. */
export function restoreSummary({ cluster, resume, backup = 'latest', at }: RestoreInput): string {
  if (resume === 'rollback') return `Put ${cluster} back to before an unfinished restore`;
  if (resume === 'forward') return `Go on with the unfinished restore of ${cluster}`;
  return `Restore ${cluster} from ${at === undefined ? backup : `the newest backup of ${at} or before`}`;
}

function newWorkflowId(operation: Operation, cluster: string): string {
  return `${operation}/${cluster}/${backupIdOf(new Date())}-${randomBytes(2).toString('hex')}`;
}
