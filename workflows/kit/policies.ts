/** How long each kind of activity may take, how it is retried, and which activity is of which kind. */
import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { FailureType } from '../../domain/errors.ts';

/**
 * How long a component that was just started has to answer before it is taken for dead and started again. Starting it
 * again does nothing if it runs.
 */
export const FIRST_LOOK = '20s';

/**
 * When such an activity is cancelled, the operation waits for it: it must clean up disks and stores before the
 * operation continues.
 */
const attended = {
  // The worker sends a heartbeat every 2 s, so a killed worker is noticed within this time.
  heartbeatTimeout: '10s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

const fewTries = { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 4 } as const;
const forMinutes = { initialInterval: '500ms', backoffCoefficient: 1.5, maximumInterval: '5s' } as const;
const streaming = { initialInterval: '5s', maximumInterval: '1m', maximumAttempts: 4 } as const;

export const POLICIES = {
  /** Asks Temporal itself: quick, and worth a few tries. */
  lock: { startToCloseTimeout: '20s', retry: { maximumAttempts: 3 } },
  /** Quick, harmless, and worth a few tries before it is reported to a person. */
  look: { ...attended, startToCloseTimeout: '2m', retry: fewTries },
  /** Goes through all objects of a store: there may be many thousands. */
  tidy: { ...attended, startToCloseTimeout: '2h', retry: fewTries },
  /** Takes as long as the database and the slowest store need. Each try starts from the beginning, so there are few. */
  stream: { ...attended, startToCloseTimeout: '6h', retry: streaming },
  /** Like `stream`, but a member that broke off is not asked again: the operation chooses another member first. */
  snapshot: {
    ...attended,
    startToCloseTimeout: '6h',
    retry: {
      ...streaming,
      nonRetryableErrorTypes: ['SnapshotInterrupted', 'MemberUnreachable'] satisfies FailureType[],
    },
  },
  /** Archives a node's files, a few megabytes. */
  archive: { ...attended, startToCloseTimeout: '15m', retry: fewTries },
  /** Checks and prepares a node before a restore. Nothing is touched yet, so a person can fix what fails. */
  prepare: {
    ...attended,
    startToCloseTimeout: '15m',
    retry: { initialInterval: '2s', maximumInterval: '30s', maximumAttempts: 5 },
  },
  /** Like `prepare`, but takes as long as the database needs. */
  stage: {
    ...attended,
    startToCloseTimeout: '6h',
    retry: { initialInterval: '2s', maximumInterval: '30s', maximumAttempts: 5 },
  },
  /**
   * Looks at a node whose member is silent. That its worker is away is part of the answer, so there is no long wait.
   */
  observe: { ...attended, startToCloseTimeout: '1m', retry: { maximumAttempts: 2 } },
  /**
   * Runs between the stop of the first component and the start of the last. It is retried for minutes; if that doesn't
   * help, a person is asked.
   */
  change: { ...attended, startToCloseTimeout: '2m', scheduleToCloseTimeout: '5m', retry: forMinutes },
  /** May well fail, and the node is then left as it is. The second try is for a worker that was killed. */
  once: { ...attended, startToCloseTimeout: '2m', retry: { maximumAttempts: 2 } },
  /** Looks at a node as its clients see it. */
  client: { ...attended, startToCloseTimeout: '1m', scheduleToCloseTimeout: '5m', retry: forMinutes },
  /** The gates after a change, for the cluster as a whole. */
  gate: {
    ...attended,
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: '5m',
    retry: { ...forMinutes, backoffCoefficient: 1.2 },
  },
  /**
   * Takes a first look at a component that was just started. If it doesn't answer within this time, it may have died,
   * and it is started again.
   */
  glance: {
    ...attended,
    startToCloseTimeout: FIRST_LOOK,
    scheduleToCloseTimeout: FIRST_LOOK,
    retry: { initialInterval: '500ms', backoffCoefficient: 1.2, maximumInterval: '2s' },
  },
  /** Waits up to two minutes for kubelets and controllers. Nothing that it finds fails a restore. */
  care: {
    ...attended,
    startToCloseTimeout: '5m',
    retry: { initialInterval: '2s', maximumInterval: '10s', maximumAttempts: 3 },
  },
} satisfies Record<string, ActivityOptions>;

export type Policy = keyof typeof POLICIES;

/** The policies under which each activity may be called; any other doesn't compile. */
const POLICIES_OF = {
  addLearner: ['gate'],
  canary: ['client'],
  checkApiServer: ['change', 'glance'],
  checkFormerMembers: ['gate'],
  checkJoined: ['gate'],
  checkMemberNode: ['prepare'],
  checkMembers: ['gate'],
  checkNode: ['prepare'],
  checkRestoredMembers: ['gate', 'glance'],
  checkStores: ['look'],
  chooseDrill: ['look'],
  chooseSource: ['look'],
  closeJournal: ['change'],
  configureMember: ['change'],
  confirmHold: ['lock'],
  describeHolder: ['lock'],
  drawPlan: ['look'],
  drillBackup: ['stream'],
  findLackingCopies: ['look'],
  findSnapshot: ['look'],
  healCopy: ['stream'],
  inspectMembers: ['look'],
  keepDrillResult: ['look'],
  keepStaticResources: ['archive'],
  listBackups: ['look'],
  listSetAside: ['prepare'],
  lookAfter: ['care'],
  moveLeaderAway: ['gate'],
  observeEtcd: ['observe'],
  openJournal: ['prepare'],
  planPrune: ['tidy'],
  promoteMember: ['gate'],
  putBackDataDirectory: ['change'],
  putBackMemberData: ['change'],
  readApiServerFlags: ['observe'],
  readBackCopy: ['stream'],
  readCluster: ['look'],
  readInstalledAt: ['look'],
  readJournal: ['prepare'],
  readOperators: ['look'],
  readPosition: ['change'],
  readSettling: ['prepare'],
  removeBackups: ['tidy'],
  removeMember: ['gate'],
  removeSetAside: ['prepare'],
  setMemberDataAside: ['change'],
  setPin: ['look'],
  stageDataDirectory: ['stage'],
  startApiServer: ['change'],
  startControllers: ['change'],
  startEtcd: ['change', 'once'],
  stopApiServer: ['change'],
  stopEtcd: ['change'],
  surveyMembers: ['look'],
  swapDataDirectory: ['change'],
  sweepStore: ['tidy'],
  takeSnapshot: ['snapshot'],
  trialRestore: ['stream'],
  unstageDataDirectory: ['prepare'],
  watchLearner: ['gate'],
  watchProof: ['client'],
  writeJournal: ['change'],
  writeManifest: ['look'],
} as const satisfies Record<keyof Activities, readonly Policy[]>;

/** The activities that may be called under a policy. */
export type Under<P extends Policy> = Pick<
  Activities,
  { [A in keyof Activities]: P extends (typeof POLICIES_OF)[A][number] ? A : never }[keyof Activities]
>;
