/** Salvor's library: `import { connect } from 'salvor'`. */
export { connect, type ConnectOptions } from './connect.ts';
export { type ClientFailureType, SalvorOperationError } from './errors.ts';
export { OperationHandle } from './handle.ts';
export type { OperationSummary } from './list.ts';
export { SalvorClient, type StartOptions } from './salvor.ts';
export type { SetupReport } from './setup.ts';
export type { InputOf, ReportOf } from './types.ts';
export type { FailureType } from '../domain/errors.ts';
export type { RestorePlan } from '../domain/restore-plan.ts';
export type {
  BackupInput,
  BackupReport,
  CheckClusterInput,
  CheckClusterReport,
  CleanUpInput,
  CleanUpReport,
  HealInput,
  HealReport,
  PinInput,
  PinReport,
  PlanRestoreInput,
  PruneInput,
  PruneReport,
  VerifyInput,
  VerifyReport,
  ListBackupsInput,
  ListBackupsReport,
  ListMembersInput,
  ListMembersReport,
  MemberEntry,
  MemberState,
  Operation,
  Progress,
  Quorum,
  ReplaceMemberInput,
  ReplaceMemberReport,
  RestoreInput,
  RestoreReport,
  SkippedReport,
  StepRecord,
} from '../domain/operations.ts';
