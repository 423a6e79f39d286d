/** Which operation takes and gives what. */
import type {
  BackupInput,
  BackupReport,
  CheckClusterInput,
  CheckClusterReport,
  ListBackupsInput,
  ListBackupsReport,
  Operation,
  RestoreInput,
  RestoreReport,
} from '../domain/operations.ts';

/** An operation whose types aren't here takes an object with the cluster's name and gives what its workflow gives. */
interface OperationTypes {
  backup: { input: BackupInput; report: BackupReport };
  listBackups: { input: ListBackupsInput; report: ListBackupsReport };
  restore: { input: RestoreInput; report: RestoreReport };
  checkCluster: { input: CheckClusterInput; report: CheckClusterReport };
}

export type InputOf<O extends Operation> = O extends keyof OperationTypes
  ? OperationTypes[O]['input']
  : { cluster: string };

export type ReportOf<O extends Operation> = O extends keyof OperationTypes ? OperationTypes[O]['report'] : unknown;
