/** The operations: the contract of the Temporal UI's start form, the command line's JSON and the client library. Plain types, no zod: workflows read it. */
import type { BackupInput, BackupReport } from './backup.ts';
import type { CheckClusterInput, CheckClusterReport } from './check-cluster.ts';
import type { CleanUpInput, CleanUpReport } from './clean-up.ts';
import type { HealInput, HealReport } from './heal.ts';
import type { ListBackupsInput, ListBackupsReport } from './list-backups.ts';
import type { ListMembersInput, ListMembersReport } from './list-members.ts';
import type { PinInput, PinReport } from './pin.ts';
import type { PlanRestoreInput } from './plan-restore.ts';
import type { PruneInput, PruneReport } from './prune.ts';
import type { ReplaceMemberInput, ReplaceMemberReport } from './replace-member.ts';
import type { RestoreInput, RestoreReport } from './restore.ts';
import type { VerifyInput, VerifyReport } from './verify.ts';
import type { RestorePlan } from '../restore/plan.ts';

interface OperationTypes {
  backup: { input: BackupInput; report: BackupReport };
  listBackups: { input: ListBackupsInput; report: ListBackupsReport };
  planRestore: { input: PlanRestoreInput; report: RestorePlan };
  cleanUp: { input: CleanUpInput; report: CleanUpReport };
  restore: { input: RestoreInput; report: RestoreReport };
  prune: { input: PruneInput; report: PruneReport };
  pin: { input: PinInput; report: PinReport };
  verify: { input: VerifyInput; report: VerifyReport };
  heal: { input: HealInput; report: HealReport };
  listMembers: { input: ListMembersInput; report: ListMembersReport };
  replaceMember: { input: ReplaceMemberInput; report: ReplaceMemberReport };
  checkCluster: { input: CheckClusterInput; report: CheckClusterReport };
}

export type InputOf<O extends Operation> = OperationTypes[O]['input'];

export type ReportOf<O extends Operation> = OperationTypes[O]['report'];

export const OPERATIONS = [
  'backup',
  'prune',
  'pin',
  'verify',
  'planRestore',
  'restore',
  'cleanUp',
  'heal',
  'replaceMember',
  'listBackups',
  'listMembers',
  'checkCluster',
] as const;
export type Operation = (typeof OPERATIONS)[number];
