/**
 * All operations, one row each: the contract for the Temporal UI's start form, the command line's JSON and the client
 * library. Plain types, no zod: workflows import this file.
 */
import { BACKUP } from './backup.ts';
import { CHECK_CLUSTER } from './check-cluster.ts';
import { CLEAN_UP } from './clean-up.ts';
import { HEAL } from './heal.ts';
import { LIST_BACKUPS } from './list-backups.ts';
import { LIST_MEMBERS } from './list-members.ts';
import { PIN } from './pin.ts';
import { PLAN_RESTORE } from './plan-restore.ts';
import { PRUNE } from './prune.ts';
import { REPLACE_MEMBER } from './replace-member.ts';
import { RESTORE } from './restore.ts';
import type { AnyRow, OperationRow } from './row.ts';
import type { StepName } from './steps.ts';
import { VERIFY } from './verify.ts';

/** By the names of their workflows. */
export const OPERATIONS = {
  backup: BACKUP,
  prune: PRUNE,
  pin: PIN,
  verify: VERIFY,
  planRestore: PLAN_RESTORE,
  restore: RESTORE,
  cleanUp: CLEAN_UP,
  heal: HEAL,
  replaceMember: REPLACE_MEMBER,
  listBackups: LIST_BACKUPS,
  listMembers: LIST_MEMBERS,
  checkCluster: CHECK_CLUSTER,
} as const satisfies Record<string, AnyRow & { steps: readonly StepName[] }>;

export type Operation = keyof typeof OPERATIONS;

export type InputOf<O extends Operation> = Parameters<(typeof OPERATIONS)[O]['subjectOf']>[0];

export type ReportOf<O extends Operation> = Parameters<(typeof OPERATIONS)[O]['endOf']>[0];

type With<Field extends object> = {
  [O in Operation]: (typeof OPERATIONS)[O] extends Field ? O : never;
}[Operation];

/** The operations that hold a cluster. */
export type HoldingOperation = With<{ effect: 'changes' }>;

/** The operations that may have a schedule. */
export type ScheduledOperation = With<{ schedulable: true }>;

/** Whether a name, such as a workflow type or a command line argument, is that of an operation. */
export function isOperation(name: string): name is Operation {
  return Object.hasOwn(OPERATIONS, name);
}

export const SCHEDULED_OPERATIONS: readonly ScheduledOperation[] = Object.keys(OPERATIONS)
  .filter(isOperation)
  .filter((operation): operation is ScheduledOperation => OPERATIONS[operation].schedulable);

/** The operations that only look. */
export const LOOKING_OPERATIONS: readonly Operation[] = Object.keys(OPERATIONS)
  .filter(isOperation)
  .filter((operation) => OPERATIONS[operation].effect === 'looks');

/** The row of one operation, whose input and report are its own. */
export function rowOf<O extends Operation>(operation: O): OperationRow<InputOf<O>, ReportOf<O>> {
  const rows: { [Each in Operation]: OperationRow<InputOf<Each>, ReportOf<Each>> } = OPERATIONS;
  return rows[operation];
}
