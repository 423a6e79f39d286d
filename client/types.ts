/** Which operation takes and gives what. */
import type {
  HealInput,
  HealReport,
  PinInput,
  PinReport,
  PruneInput,
  PruneReport,
  VerifyInput,
  VerifyReport,
  BackupInput,
  BackupReport,
  CheckClusterInput,
  CheckClusterReport,
  ListBackupsInput,
  ListBackupsReport,
  ListMembersInput,
  ListMembersReport,
  Operation,
  CleanUpInput,
  CleanUpReport,
  PlanRestoreInput,
  ReplaceMemberInput,
  ReplaceMemberReport,
  RestoreInput,
  RestoreReport,
} from '../domain/operations.ts';
import type { RestorePlan } from '../domain/restore-plan.ts';

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
