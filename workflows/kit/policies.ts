/** How long each kind of activity may take, what is tried again, and which activity is of which kind. */
import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { FailureType } from '../../domain/errors.ts';

/**
 * How long what was just started is looked at before it is taken for dead, and started again: which does nothing when
 * it isn't.
 */
export const FIRST_LOOK = '20s';

/** What touches disks and stores is waited for when cancelled, so that it has cleaned up before the story continues. */
const attended = {
  // The worker beats every 2 s: one that is killed is noticed within this time.
  heartbeatTimeout: '10s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

const fewTries = { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 4 } as const;
const forMinutes = { initialInterval: '500ms', backoffCoefficient: 1.5, maximumInterval: '5s' } as const;
const streaming = { initialInterval: '5s', maximumInterval: '1m', maximumAttempts: 4 } as const;

export const POLICIES = {
  /** Temporal itself is asked: quick, and worth a few tries. */
  lock: { startToCloseTimeout: '20s', retry: { maximumAttempts: 3 } },
  /** Quick, harmless, and worth a few tries before a person is told. */
  look: { ...attended, startToCloseTimeout: '2m', retry: fewTries },
  /** Goes through all of a store's objects: there may be many thousands. */
  tidy: { ...attended, startToCloseTimeout: '2h', retry: fewTries },
  /** Takes as long as the database and the slowest store need. Each try starts anew, so there are few. */
  stream: { ...attended, startToCloseTimeout: '6h', retry: streaming },
  /** The same, but a member that broke off is not asked again: another one is chosen first. */
  snapshot: {
    ...attended,
    startToCloseTimeout: '6h',
    retry: {
      ...streaming,
      nonRetryableErrorTypes: ['SnapshotInterrupted', 'MemberUnreachable'] satisfies FailureType[],
    },
  },
  /** A few megabytes of a node's files. */
  archive: { ...attended, startToCloseTimeout: '15m', retry: fewTries },
  /** What a node needs before a restore: wrong here is wrong for a person to see, while nothing is touched yet. */
  prepare: {
    ...attended,
    startToCloseTimeout: '15m',
    retry: { initialInterval: '2s', maximumInterval: '30s', maximumAttempts: 5 },
  },
  /** The same, for as long as the database needs. */
  stage: {
    ...attended,
    startToCloseTimeout: '6h',
    retry: { initialInterval: '2s', maximumInterval: '30s', maximumAttempts: 5 },
  },
  /** A look at a node whose member is silent: one that is away is part of the answer, and not waited for. */
  observe: { ...attended, startToCloseTimeout: '1m', retry: { maximumAttempts: 2 } },
  /**
   * Between the first component stopped and the last one ready: tried again and again, and a person is asked when that
   * doesn't help.
   */
  change: { ...attended, startToCloseTimeout: '2m', scheduleToCloseTimeout: '5m', retry: forMinutes },
  /** What may well fail, and is then left as it is. A worker that was killed meanwhile is no answer. */
  once: { ...attended, startToCloseTimeout: '2m', retry: { maximumAttempts: 2 } },
  /** Looks at a node as its clients have it. */
  client: { ...attended, startToCloseTimeout: '1m', scheduleToCloseTimeout: '5m', retry: forMinutes },
  /** The gates after a change, for the cluster as a whole. */
  gate: {
    ...attended,
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: '5m',
    retry: { ...forMinutes, backoffCoefficient: 1.2 },
  },
  /** A first look at what was just started. What isn't there within this time may have died, and is started again. */
  glance: {
    ...attended,
    startToCloseTimeout: FIRST_LOOK,
    scheduleToCloseTimeout: FIRST_LOOK,
    retry: { initialInterval: '500ms', backoffCoefficient: 1.2, maximumInterval: '2s' },
  },
  /** Waits for kubelets and controllers for up to two minutes by itself; what it finds doesn't fail a restore. */
  care: {
    ...attended,
    startToCloseTimeout: '5m',
    retry: { initialInterval: '2s', maximumInterval: '10s', maximumAttempts: 3 },
  },
} satisfies Record<string, ActivityOptions>;

export type Policy = keyof typeof POLICIES;

/** Under which policies each activity may be asked for; any other does not compile. */
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

/** The activities that may be asked for under a policy. */
export type Under<P extends Policy> = Pick<
  Activities,
  { [A in keyof Activities]: P extends (typeof POLICIES_OF)[A][number] ? A : never }[keyof Activities]
>;
