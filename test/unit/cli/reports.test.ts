import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exitStatusOf, renderReport } from '../../../cli/reports.ts';
import type { Look } from '../../../cli/render/format.ts';
import { renderOperations } from '../../../cli/render/operations.ts';
import { renderConfigurationCheck } from '../../../cli/render/configuration.ts';
import type { CatalogueEntry } from '../../../domain/backups/catalogue-entry.ts';
import type { BackupReport } from '../../../domain/operations/backup.ts';
import type { CheckClusterReport } from '../../../domain/operations/check-cluster.ts';
import type { ListBackupsReport } from '../../../domain/operations/list-backups.ts';
import type { RestoreReport } from '../../../domain/operations/restore.ts';
import type { StepName } from '../../../domain/operations/steps.ts';
import type { VerifyReport } from '../../../domain/operations/verify.ts';

const look: Look = { color: false, now: new Date('2026-11-23T07:00:00Z'), timeZone: 'UTC', columns: 120 };

const backup: BackupReport = {
  backup: '20261123-060000',
  cluster: 'prod',
  node: 'm2',
  takenAt: '2026-11-23T06:00:00.000Z',
  state: 'complete',
  revision: '4200',
  totalKeys: 5012,
  artifacts: [
    {
      kind: 'snapshot',
      bytes: 12_345_678,
      sha256: '0123456789abcdef'.repeat(4),
      copies: [
        { store: 'local', key: 'prod/10.0.0.2/snapshot-20261123-060000.db', state: 'complete' },
        { store: 'offsite', key: 'prod/10.0.0.2/snapshot-20261123-060000.db', state: 'complete' },
      ],
    },
  ],
  durationMs: 4_200,
};

const entry: CatalogueEntry = {
  backup: '20261123-060000',
  takenAt: '2026-11-23T06:00:00Z',
  node: 'm2',
  state: 'complete',
  revision: '4200',
  proof: 'hashed',
  pinned: true,
  stores: ['local', 'offsite'],
  bytes: 12_345_678,
};

const restore: RestoreReport = {
  cluster: 'prod',
  backup: '20261123-060000',
  outcome: 'restored',
  problem: null,
  downtimeMs: 47_000,
  revision: { before: null, snapshot: '4200', after: '1000004200' },
  clusterId: { before: '111', after: '222' },
  steps: [
    step('Find the backup', null, '20261123-060000 in local'),
    step('Stop kube-apiserver', 'm1', 'stopped'),
    step('Stop etcd', 'm1', 'stopped'),
    step('Stop etcd', 'm2', 'stopped'),
  ],
  setAside: [
    { node: 'm1', path: '/var/lib/etcd/member.before-restore-1' },
    { node: 'm2', path: '/var/lib/etcd/member.before-restore-1' },
  ],
  workflowId: 'restore/prod/1',
};

function step(name: StepName, node: string | null, evidence: string): RestoreReport['steps'][number] {
  return { name, node, state: 'done', startedAt: '2026-11-23T06:00:00Z', durationMs: 1_000, evidence };
}

describe('the report of a backup', () => {
  it('says what was taken, from where, and every copy', () => {
    assert.equal(
      renderReport('backup', backup, look),
      `Backup 20261123-060000 of prod: complete
  taken     2026-11-23 06:00:00 UTC, 60 min ago, from m2
  revision  4200, 5,012 keys
  took      4.2 s

ARTIFACT      SIZE  SHA-256       STORE    COPY      KEY
snapshot  11.8 MiB  0123456789ab  local    complete  prod/10.0.0.2/snapshot-20261123-060000.db
                                  offsite  complete  prod/10.0.0.2/snapshot-20261123-060000.db`,
    );
    assert.equal(exitStatusOf('backup', backup), 0);
  });

  it('names the store that lacks a copy, and why, and is no success', () => {
    const copies: BackupReport['artifacts'][number]['copies'] = [
      { store: 'offsite', key: 'k', state: 'failed', error: 'connection refused\u001b[2J' },
    ];
    const degraded: BackupReport = {
      ...backup,
      state: 'degraded',
      artifacts: backup.artifacts.map((artifact) => ({ ...artifact, copies })),
    };
    const text = renderReport('backup', degraded, look);
    assert.match(text, /of prod: degraded\n/);
    assert.match(text, /^! store "offsite" lacks snapshot: connection refused$/m);
    assert.equal(exitStatusOf('backup', degraded), 3);
  });
});

describe('the report of a schedule’s run that met another operation', () => {
  it('names what held the cluster, and is neither a backup nor a failure', () => {
    // As it comes out of a history: what somebody started by hand never ends so.
    const skipped: unknown = { cluster: 'prod', state: 'skipped', reason: 'prod is held by restore/prod/1' };
    const report = skipped as BackupReport;
    assert.equal(
      renderReport('backup', report, look),
      'Skipped: prod is held by restore/prod/1\nThe next scheduled run will start as usual.',
    );
    assert.equal(exitStatusOf('backup', report), 3);
  });
});

describe('the list of backups', () => {
  const list: ListBackupsReport = {
    cluster: 'prod',
    backups: [
      entry,
      {
        ...entry,
        backup: '20261122-060000',
        takenAt: '2026-11-22T06:00:00Z',
        state: 'broken',
        proof: null,
        revision: null,
        pinned: false,
        stores: ['local'],
        problem: 'its snapshot is in no store',
      },
    ],
    unreadable: [],
  };

  it('shows each on a line, and what is wrong with one below', () => {
    assert.equal(
      renderReport('listBackups', list, look),
      `BACKUP (UTC)            AGE  NODE  STATE     PROOF   REVISION      SIZE  STORES
20261123-060000  60 min ago  m2    complete  hashed      4200  11.8 MiB  local, offsite  pinned
20261122-060000    25 h ago  m2    broken    -              -  11.8 MiB  local
! 20261122-060000: its snapshot is in no store`,
    );
    assert.equal(exitStatusOf('listBackups', list), 0);
  });

  it('begins with the store that could not be read: what only it has is missing', () => {
    const partly = { ...list, unreadable: [{ store: 'offsite', error: 'timed out' }] };
    assert.match(
      renderReport('listBackups', partly, look),
      /^! store "offsite" can't be read; backups that only it has are missing here: timed out\n/,
    );
    assert.equal(exitStatusOf('listBackups', partly), 3);
  });

  it('says how to take the first one', () => {
    const none = { cluster: 'prod', backups: [], unreadable: [] };
    assert.equal(renderReport('listBackups', none, look), 'No backups of prod. Take one: salvor backup prod');
  });
});

describe('the report of a restore', () => {
  it('says what changed, how long it was down, and where the old data is', () => {
    assert.equal(
      renderReport('restore', restore, look),
      `Restored prod from 20261123-060000
  downtime    47 s of kube-apiserver
  revision    unknown before, 4200 in the backup, 1000004200 now
  cluster ID  111 before, 222 now
  old data    m1: /var/lib/etcd/member.before-restore-1
              m2: /var/lib/etcd/member.before-restore-1
  workflow    restore/prod/1

✔ Find the backup                     1.0 s  20261123-060000 in local
✔ Stop kube-apiserver  m1✔            1.0 s  stopped
✔ Stop etcd            m1✔ m2✔        1.0 s  stopped`,
    );
    const etcdAlone = { ...restore, steps: restore.steps.filter(({ name }) => name !== 'Stop kube-apiserver') };
    assert.match(renderReport('restore', etcdAlone, look), /downtime {4}47 s of etcd\n/);
    assert.equal(exitStatusOf('restore', restore), 0);
  });

  for (const outcome of ['rolled-back', 'aborted'] as const) {
    it(`that was ${outcome} is a failure, and does not read like a success`, () => {
      const text = renderReport('restore', { ...restore, outcome }, look);
      assert.match(text, /^(Rolled back|Aborted) prod after a restore of 20261123-060000\n/);
      assert.equal(exitStatusOf('restore', { ...restore, outcome }), 1);
    });
  }
});

describe('what doctor saw', () => {
  const report: CheckClusterReport = {
    cluster: 'prod',
    checks: [
      { name: 'stores', ok: true, seen: 'local: reads and writes' },
      { name: 'etcd member on m1', ok: false, seen: 'refused', advice: 'start it' },
    ],
  };

  it('shows each check with its advice, and counts those that failed', () => {
    assert.equal(
      renderReport('checkCluster', report, look),
      `✔ stores             local: reads and writes
✖ etcd member on m1  refused
                     → start it

1 of 2 checks failed.`,
    );
    assert.equal(exitStatusOf('checkCluster', report), 1);
  });
});

describe('the report of a verify', () => {
  const report: VerifyReport = {
    cluster: 'prod',
    backup: '20261123-060000',
    store: 'local',
    proof: 'restored',
    checks: [
      { name: 'snapshot in local', ok: true, seen: '12345 bytes, exactly as the manifest says' },
      { name: 'a kube-apiserver reads every object', ok: true, skipped: true, seen: 'not done: this worker has none' },
    ],
    durationMs: 3_400,
  };

  it('says how far the backup is proven, and what was seen and skipped', () => {
    assert.equal(
      renderReport('verify', report, look),
      `Backup 20261123-060000 of prod: restored
  proven         an etcd restored from it serves its keys
  restored from  local
  took           3.4 s

✔ snapshot in local                    12345 bytes, exactly as the manifest says
· a kube-apiserver reads every object  not done: this worker has none`,
    );
    assert.equal(exitStatusOf('verify', report), 0);
  });

  it('is degraded when a store could not be read, and says which', () => {
    const away = { name: 'manifest in offsite', ok: false, seen: 'connection refused\u001b[2J' };
    const checks = [...report.checks, away];
    assert.match(renderReport('verify', { ...report, checks }, look), /^! manifest in offsite +connection refused$/m);
    assert.equal(exitStatusOf('verify', { ...report, checks }), 3);
  });
});

describe('the list of operations', () => {
  it('shows who started what, when, and how it went', () => {
    const running = {
      workflowId: 'restore/prod/2',
      runId: 'r',
      operation: 'restore',
      cluster: 'prod',
      status: 'running',
      startedAt: '2026-11-23T06:59:00Z',
      durationMs: null,
      startedBy: 'ann@ops',
    } as const;
    const failed = {
      ...running,
      workflowId: 'backup/prod/1',
      operation: 'backup',
      status: 'timed out',
      durationMs: 65_000,
      startedBy: null,
    } as const;
    assert.equal(
      renderOperations([running, failed], look),
      `OPERATION  CLUSTER  STATUS      STARTED        TOOK  BY       WORKFLOW
restore    prod     running    60 s ago           -  ann@ops  restore/prod/2
backup     prod     timed out  60 s ago  1 min 05 s  -        backup/prod/1`,
    );
    assert.equal(renderOperations([], look), 'No operations.');
  });
});

describe('the check of a configuration', () => {
  it('lists problems with their lines', () => {
    const report = {
      path: 'salvor.yaml',
      valid: false,
      clusters: [],
      problems: [{ at: 'salvor.yaml:4:3', path: 'clusters.lab.flavour', message: 'missing' }],
      warnings: [{ path: '', message: 'a thought' }],
    };
    assert.equal(
      renderConfigurationCheck(report, look),
      `✖ salvor.yaml is not valid
  problem  salvor.yaml:4:3 clusters.lab.flavour: missing
  warning  a thought`,
    );
  });
});
