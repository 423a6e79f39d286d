/**
 * Activities that answer at once and record their calls. They test the workflows' own decisions, not the work of
 * activities.
 */
import { activityInfo, ApplicationFailure } from '@temporalio/activity';
import type { DrillOrder } from '../../activities/drills.ts';
import type { Changes } from '../../domain/restore/changes.ts';
import type { Journal } from '../../domain/restore/journal.ts';
import type { Activities } from '../../activities/index.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { FAILURES, type FailureType } from '../../domain/errors.ts';
import { drawPlan } from '../../domain/restore/plan.ts';
import type { ListedMember } from '../../domain/members/members.ts';
import type { MemberSurvey } from '../../domain/members/member-table.ts';
import type { Verified } from '../../domain/format/verified.ts';

export type { Activities };

const DIGEST = { bytes: 1_000_000, sha256: 'a'.repeat(64) };
const STORED = { bytes: 300_000, sha256: 'b'.repeat(64) };

export const CLUSTER: Cluster = {
  name: 'prod',
  digest: '0123456789abcdef',
  flavour: 'services',
  compression: 'zstd',
  schedules: {},
  stores: [
    { name: 'local', type: 'filesystem', path: '/data/backups' },
    { name: 'offsite', type: 's3', bucket: 'k8s-cluster', region: 'us-east-1', pathStyle: true },
  ],
  nodes: ['m1', 'm2', 'm3'].map((name, index) => ({
    name,
    address: `10.0.0.${index + 1}`,
    connection: 'local',
    etcd: {
      memberName: name,
      clientUrl: `https://10.0.0.${index + 1}:2379`,
      peerUrl: `https://10.0.0.${index + 1}:2380`,
      dataDir: '/var/lib/etcd',
    },
    apiServer: { url: `https://10.0.0.${index + 1}:6443` },
  })),
};

const ETCD = { version: '3.6.16', clusterId: '1', memberId: '2', revision: '4200', totalKeys: 7, members: [] };

/** Since the backup, a config map was made, a secret deleted and a deployment changed. */
export const CHANGES: Changes = {
  comparedAtRevision: '5000',
  vanish: 1,
  comeBack: 1,
  revert: 1,
  types: [
    {
      type: 'configmaps',
      vanish: 1,
      comeBack: 0,
      revert: 0,
      examples: { vanish: ['default/new'], comeBack: [], revert: [] },
    },
    {
      type: 'secrets',
      vanish: 0,
      comeBack: 1,
      revert: 0,
      examples: { vanish: [], comeBack: ['default/gone'], revert: [] },
    },
    {
      type: 'deployments',
      vanish: 0,
      comeBack: 0,
      revert: 1,
      examples: { vanish: [], comeBack: [], revert: ['default/web'] },
    },
  ],
  noise: { vanish: 2, comeBack: 3, revert: 4, types: ['events', 'leases'] },
};

/** The journal of a restore that was terminated after it began; m3 had no data, and its etcd was not running. */
export const JOURNAL: Journal = {
  formatVersion: 1,
  cluster: 'prod',
  operationId: '20261123-070000',
  workflowId: 'restore/prod/terminated',
  runId: '0196f2a0-0000-7000-8000-000000000001',
  backup: '20261123-000000',
  touchedAt: '2026-11-23T07:00:30.000Z',
  phase: 'changing',
  problem: null,
  revision: { before: '5000', snapshot: '4200', floor: '1005000' },
  clusterId: '1',
  leader: 'm1',
  up: ['m1', 'm2'],
  hadLeader: true,
  nodes: [
    { name: 'm1', etcd: 'running', apiServer: 'running', dataDir: 'present' },
    { name: 'm2', etcd: 'running', apiServer: 'running', dataDir: 'present' },
    { name: 'm3', etcd: 'stopped', apiServer: 'running', dataDir: 'missing' },
  ],
};

/** A failure as the real activities throw it. */
export function failing(type: FailureType, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: !FAILURES[type].retryable });
}

/** The members as etcd lists them, m1 the leader. */
export function listedMembers(): ListedMember[] {
  return CLUSTER.nodes.map(({ name, etcd }, index) => ({
    id: String(index + 1),
    name,
    peerUrls: [etcd.peerUrl],
    clientUrls: [etcd.clientUrl],
    isLearner: false,
  }));
}

/** The members' answers if all is well except that some don't answer. */
export function surveyWithout(...silent: string[]): MemberSurvey {
  return {
    clusterId: '1',
    leaderId: '1',
    listed: listedMembers(),
    answeringElsewhere: [],
    members: CLUSTER.nodes.map(({ name, address, etcd }, index) => {
      const place = { node: name, address, clientUrl: etcd.clientUrl };
      if (silent.includes(name)) return { ...place, error: 'connection refused' };
      return {
        ...place,
        status: {
          clusterId: '1',
          memberId: String(index + 1),
          version: '3.6.16',
          revision: '5000',
          raftIndex: '6000',
          leaderId: '1',
          isLearner: false,
          dbSizeBytes: 1_000_000,
          dbSizeInUseBytes: 900_000,
          errors: [],
        },
        alarms: [],
        hashKv: { revision: '5000', compactRevision: '1', hash: '77' },
      };
    }),
  };
}

/** One member, m3, is down. */
const SURVEY = surveyWithout('m3');

/** The result of a drill that finds nothing wrong. */
export function verifiedOf({ backup, nodeAddress }: DrillOrder): Verified {
  return {
    formatVersion: 1,
    backup,
    cluster: 'prod',
    node: { address: nodeAddress },
    verifiedAt: '2026-11-23T07:00:00.000Z',
    proof: 'served',
    store: 'local',
    checks: [{ name: 'it serves the keys of the source', ok: true, seen: 'HashKV 77' }],
    durationMs: 3_000,
  };
}

export interface FakeActivities {
  activities: Activities;
  /** Every call as `name node`, in the order in which they began. */
  calls: string[];
}

/** Makes activities that all succeed unless `changes` says otherwise. */
export function fakeActivities(changes: Partial<Activities> = {}): FakeActivities {
  const calls: string[] = [];
  const defaults: Activities = {
    readCluster: async () => CLUSTER,
    describeHolder: async () => 'restore/prod/by-somebody',
    confirmHold: async () => ({ run: activityInfo().workflowExecution?.runId ?? '' }),
    inspectMembers: async () =>
      CLUSTER.nodes.map(({ name, address, etcd }) => ({
        node: name,
        address,
        clientUrl: etcd.clientUrl,
        status: {
          clusterId: '1',
          memberId: name,
          version: '3.6.16',
          revision: '5000',
          raftIndex: '6000',
          leaderId: 'm1',
          isLearner: false,
          dbSizeBytes: 1_000_000,
          dbSizeInUseBytes: 900_000,
          errors: [],
        },
        alarms: [],
        hashKv: { revision: '5000', compactRevision: '1', hash: '77' },
      })),
    chooseSource: async () => ({
      node: 'm2',
      role: 'follower',
      revision: '5000',
      dbSizeBytes: 1_000_000,
      dbSizeInUseBytes: 900_000,
      answering: ['m1', 'm2', 'm3'],
      silent: [],
      agreeing: 3,
    }),
    surveyMembers: async () => SURVEY,
    moveLeaderAway: async () => ({ changed: false, leader: '1' }),
    removeMember: async () => ({ changed: true, members: 2, cleared: [] }),
    addLearner: async ({ peerUrl }) => ({
      memberId: '4',
      changed: true,
      members: [
        ...listedMembers().slice(0, 2),
        { id: '4', name: '', peerUrls: [peerUrl], clientUrls: [], isLearner: true },
      ],
    }),
    watchLearner: async () => ({
      index: '6000',
      leaderIndex: '6000',
      dbSizeBytes: 1_000_000,
      leaderDbSizeBytes: 1_000_000,
      inSync: true,
    }),
    promoteMember: async () => ({ changed: true }),
    checkJoined: async () => ({ memberId: '4' }),
    checkMembers: async () => ({ members: [], quorum: { voters: 3, needed: 2, up: 3 } }),
    observeEtcd: async ({ node }) => ({ node, process: 'stopped', seen: 'its service does not run' }),
    checkMemberNode: async () => ({ etcd: 'stopped', apiServer: 'running', joinsItself: false, seen: 'etcd stopped' }),
    setMemberDataAside: async ({ operationId }) => ({ setAside: `/var/lib/etcd/member.before-replace-${operationId}` }),
    putBackMemberData: async () => ({ changed: true }),
    configureMember: async () => ({ path: '/etc/etcd.env', setAside: [] }),
    readApiServerFlags: async () => null,
    checkRestoredMembers: async () => ({ clusterId: '9', revision: '1005001', members: 3, hash: '78' }),
    takeSnapshot: async () => ({
      backup: '20261123-060000',
      takenAt: '2026-11-23T06:00:00.000Z',
      key: 'prod/10.0.0.2/snapshot-20261123-060000.db.zst',
      compression: 'zstd',
      encrypted: false,
      content: DIGEST,
      stored: STORED,
      copies: [
        { store: 'local', state: 'complete' },
        { store: 'offsite', state: 'complete' },
      ],
      etcd: ETCD,
    }),
    readInstalledAt: async () => ({ installedAt: '2026-01-01T00:00:00.000Z' }),
    readOperators: async () => ({ operators: [] }),
    readSettling: async () => ({ installedAt: '2026-01-01T00:00:00.000Z', lastChange: null }),
    keepStaticResources: async ({ cluster, node, backup }) => ({
      node,
      key: `prod/${cluster.nodes.find(({ name }) => name === node)?.address ?? ''}/static-resources-${backup}.tar.gz`,
      encrypted: false,
      content: DIGEST,
      stored: STORED,
      copies: [
        { store: 'local', state: 'complete' },
        { store: 'offsite', state: 'complete' },
      ],
      paths: ['/etc/etcd/pki'],
      absent: [],
    }),
    checkStores: async () => ({ good: ['local', 'offsite'], failing: [] }),
    readBackCopy: async ({ store }) => ({ store, bytes: STORED.bytes }),
    writeManifest: async ({ manifest }) => ({
      key: `prod/${manifest.node.address}/backup-${manifest.backup}.json`,
      stores: manifest.artifacts[0]?.stores ?? [],
    }),
    listBackups: async () => ({ cluster: 'prod', backups: [], unreadable: [] }),
    findSnapshot: async ({ backup }) => ({
      backup: backup === 'latest' ? '20261123-000000' : backup,
      takenAt: '2026-11-23T00:00:00.000Z',
      key: 'prod/10.0.0.1/snapshot-20261123-000000.db.zst',
      compression: 'zstd',
      encrypted: false,
      stores: ['local', 'offsite'],
      expected: { content: DIGEST, stored: STORED },
      etcd: ETCD,
      proof: 'readBack',
      state: 'complete',
    }),
    drawPlan: async (facts) => ({ ...drawPlan(facts), digest: 'abcdef012345', expectedDowntimeMs: 12_000 }),
    openJournal: async () => ({ path: '/var/lib/etcd.salvor-journal.json' }),
    writeJournal: async () => ({ path: '/var/lib/etcd.salvor-journal.json' }),
    readJournal: async () => null,
    closeJournal: async () => {},
    readPosition: async () => ({ newData: 'staged', etcd: 'running' }),
    planPrune: async () => ({ kept: [], removed: [], orphans: [] }),
    removeBackups: async () => ({ kept: [] }),
    sweepStore: async ({ keys }) => ({ gone: keys, parts: 0 }),
    setPin: async ({ backup }) => ({ backup, stores: ['local', 'offsite'] }),
    findLackingCopies: async () => ({ copies: [], more: 0, unreadable: [] }),
    healCopy: async () => [],
    trialRestore: async () => ({
      store: 'local',
      content: DIGEST,
      revision: '4200',
      totalKeys: 7,
      hashAgrees: true,
      changes: CHANGES,
    }),
    chooseDrill: async ({ backup }) => ({
      order: { backup: backup ?? '20261123-000000', nodeAddress: '10.0.0.1' },
      why: 'the newest good one',
      holders: ['local', 'offsite'],
    }),
    drillBackup: async ({ order }) => ({
      verified: verifiedOf(order),
      holders: ['local', 'offsite'],
      restorable: 'local',
    }),
    keepDrillResult: async ({ holders }) => ({ stores: holders, failing: [] }),
    checkNode: async () => ({
      etcd: 'running',
      apiServer: 'running',
      dataDir: 'present',
      freeBytes: 1e12,
      etcdutl: '/usr/bin/etcdutl',
      leavesRevision: false,
    }),
    stageDataDirectory: async ({ staging }) => ({
      staged: `/var/lib/etcd/member.salvor-staged-${staging.operationId}`,
      changed: true,
    }),
    unstageDataDirectory: async () => ({ removed: true }),
    stopApiServer: async () => ({ changed: true }),
    stopEtcd: async () => ({ changed: true }),
    swapDataDirectory: async ({ operationId }) => ({ setAside: `/var/lib/etcd/member.before-restore-${operationId}` }),
    putBackDataDirectory: async ({ operationId }) => ({
      abandoned: `/var/lib/etcd/member.abandoned-restore-${operationId}`,
    }),
    checkFormerMembers: async ({ clusterId, nodes }) => ({ clusterId, members: nodes.length }),
    startEtcd: async () => ({ changed: true }),
    startApiServer: async () => ({ changed: true }),
    startControllers: async () => ({ changed: true }),
    checkApiServer: async () => ({ seen: 'ok' }),
    canary: async () => ({ checked: true, seen: 'wrote, read and deleted a config map' }),
    lookAfter: async () => ({
      found: [{ what: 'kubelets', state: 'fine', detail: '3 of 3 have renewed their leases' }],
    }),
    listSetAside: async () => [
      {
        path: '/var/lib/etcd/member.before-restore-20261101-000000',
        kind: 'before',
        type: 'directory',
        operationId: '20261101-000000',
        bytes: 1_000_000,
      },
    ],
    removeSetAside: async ({ paths }) => ({ removed: paths, bytes: 1_000_000 * paths.length }),
    watchProof: async ({ seenRevision }) => ({ checked: true, seen: `a watch from ${seenRevision} is refused` }),
  };
  const activities = { ...defaults, ...changes };
  const recorded = Object.entries(activities).map(([name, activity]) => [
    name,
    async (input: { node?: string; store?: string; cluster?: unknown }) => {
      // Every operation that holds its cluster asks for this first.
      if (name !== 'confirmHold') calls.push([name, input.node ?? input.store].filter(Boolean).join(' '));
      // As the real ones, they get the cluster by name and digest, and know it themselves.
      const own =
        typeof input.cluster === 'object' ? { cluster: await activities.readCluster({ cluster: 'prod' }) } : {};
      return await (activity as (input: object) => Promise<unknown>)({ ...input, ...own });
    },
  ]);
  return { activities: Object.fromEntries(recorded) as Activities, calls };
}
