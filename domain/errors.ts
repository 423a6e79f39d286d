/**
 * The closed list of failures that Salvor reports. `retryable` decides whether Temporal retries an activity that fails
 * with it; `exit` is the command line's exit status (2: nothing was started); `act` says what to do about it.
 */
export const FAILURES = {
  // The request
  InvalidInput: { retryable: false, exit: 2, act: 'correct the input' },
  InvalidConfiguration: {
    retryable: false,
    exit: 2,
    act: 'correct salvor.yaml; `salvor config check` shows every problem',
  },
  UnknownCluster: { retryable: false, exit: 2, act: 'use a cluster from the configuration' },
  UnknownBackup: { retryable: false, exit: 2, act: 'choose a backup listed by `salvor backups <cluster>`' },
  UnknownStore: { retryable: false, exit: 2, act: 'use a store from the configuration' },
  ConfirmationMismatch: { retryable: false, exit: 2, act: 'repeat the name of the cluster as the confirmation' },
  PlanChanged: { retryable: false, exit: 1, act: 'read the current plan, and approve that one' },
  NotApproved: { retryable: false, exit: 1, act: 'start the restore again, and approve its plan in time' },
  ConfigurationDiffers: {
    retryable: false,
    exit: 1,
    act: 'give every worker the same configuration, or put the file back as it was',
  },
  HoldLost: {
    retryable: false,
    exit: 1,
    act: 'see who holds the cluster now (`salvor operations`), and start the operation again',
  },
  ClusterBusy: { retryable: false, exit: 1, act: 'wait for the operation that holds the cluster, or end it' },
  // The cluster
  MemberUnreachable: { retryable: true, exit: 1, act: 'check the member, its client URL and its certificates' },
  NoHealthyMember: { retryable: false, exit: 1, act: 'bring a member back, or restore' },
  MembersDisagree: { retryable: false, exit: 1, act: 'replace the member that differs; pruning waits until then' },
  AlarmRaised: { retryable: false, exit: 1, act: 'resolve the etcd alarm' },
  AccessDenied: { retryable: false, exit: 1, act: 'check the credentials' },
  ClusterNotReady: {
    retryable: false,
    exit: 1,
    act: 'wait until the cluster has settled, or override the check by name',
  },
  ComponentStuck: { retryable: true, exit: 1, act: 'look at the component on its node' },
  // Stores and backups
  StoreMissing: { retryable: false, exit: 1, act: 'create the bucket or directory, or correct the configuration' },
  StoreUnavailable: { retryable: true, exit: 1, act: 'check the store and the connection to it' },
  NoSpace: { retryable: false, exit: 1, act: 'make room' },
  ArtifactMissing: { retryable: false, exit: 1, act: 'use another store or backup' },
  ArtifactExists: { retryable: false, exit: 1, act: 'nothing: an existing artifact is never overwritten' },
  BackupCorrupt: { retryable: false, exit: 1, act: 'use another store or backup; do not delete this one yet' },
  SnapshotInterrupted: { retryable: true, exit: 1, act: 'nothing: Salvor takes a new snapshot' },
  DecryptionFailed: {
    retryable: false,
    exit: 1,
    act: 'give the worker the identity (private key) of one of the recipients',
  },
  // The machines
  HostUnreachable: { retryable: true, exit: 1, act: 'check the node and the connection to it' },
  ToolMissing: { retryable: false, exit: 1, act: 'install the tool, or name it in the configuration' },
  CommandFailed: { retryable: true, exit: 1, act: 'read what the command said' },
  UnsafeState: { retryable: false, exit: 1, act: 'look at the node before you continue' },
} as const satisfies Record<string, { retryable: boolean; exit: 1 | 2; act: string }>;

/** The `type` of a failure, as workflow histories and JSON output show it. */
export type FailureType = keyof typeof FAILURES;

/** Whether a text names one of the {@link FAILURES}. */
export function isFailureType(type: unknown): type is FailureType {
  return typeof type === 'string' && Object.hasOwn(FAILURES, type);
}

/** One of the {@link FAILURES}. Its message says what happened, where, expected against got, and what to do next. */
export class SalvorError extends Error {
  readonly type: FailureType;

  constructor(type: FailureType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SalvorError';
    this.type = type;
  }
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** For the `default` of an exhaustive switch. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
