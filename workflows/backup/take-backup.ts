/** The steps that make a backup. `backup` consists of them, and a restore saves the present state with them. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Manifest } from '../../domain/format/manifest.ts';
import type { BackupOverride } from '../../domain/backups/settled.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import type { SnapshotTaken } from '../../domain/format/snapshot-source.ts';
import type { StaticResourcesTaken } from '../../domain/backups/static-resources.ts';
import { ARTIFACTS } from '../../domain/format/keys.ts';
import { SALVOR_VERSION } from '../../domain/version.ts';
import { look } from '../kit/activities.ts';
import { checkSettled } from './check-settled.ts';
import { failure } from '../kit/failure.ts';
import { keepStaticResources, type Lacking } from './keep-static-resources.ts';
import { isComplete, type ReadBack, readBackCopies, type Sent, whatFailed } from './read-back-copies.ts';
import type { Runbook } from '../kit/runbook.ts';
import { type MemberApart, streamSnapshot } from './stream-snapshot.ts';

/**
 * Takes one backup: sends one member's snapshot and every node's static resources to the stores, reads the copies back,
 * and writes the manifest last.
 * @param override checks that count as passed
 * @param apart a member that is about to be removed: it is not read, and what it says doesn't count
 */
export async function takeBackup(
  cluster: Cluster,
  runbook: Runbook,
  override: readonly BackupOverride[] = [],
  apart?: MemberApart,
): Promise<BackupReport> {
  const startMs = Date.now();
  await checkSettled(cluster, runbook, override);
  const { node, snapshot } = await streamSnapshot(cluster, runbook, apart);
  const { taken, lacking } = await keepStaticResources(cluster, snapshot.backup, runbook);

  const read = await runbook.step(
    'Read the copies back',
    null,
    async () => await readBackCopies(cluster, [sentSnapshot(snapshot), ...taken.map(sentStaticResources)]),
    (artifacts) => {
      const copies = artifacts.flatMap((artifact) => artifact.copies);
      const lost = copies.filter((copy) => !isComplete(copy));
      if (lost.length === 0) return `${copies.length} copies match what was sent`;
      return lost.map(({ store, key, error }) => `${store}: ${key} ${error ?? 'failed'}`).join('; ');
    },
  );
  const unread = read.filter((artifact) => !artifact.copies.some(isComplete));
  const artifacts = read.filter((artifact) => !unread.includes(artifact));
  for (const artifact of unread) {
    const reason = `no store returned what it was sent: ${whatFailed(artifact)}`;
    if (ARTIFACTS[artifact.kind].isRequired) throw failure('StoreUnavailable', reason);
    lacking.push({ kind: artifact.kind, node: artifact.node ?? node.name, reason });
  }

  const { failing = [] } = await runbook.step(
    'Write the manifest',
    null,
    async () =>
      await look.writeManifest({ cluster, manifest: manifestOf(cluster, node, snapshot, artifacts, lacking) }),
    ({ key, stores, failing = [] }) =>
      [`${key} in ${stores.join(', ')}`, ...failing.map(({ store, error }) => `${store}: ${error}`)].join('; '),
  );
  // Only the manifest beside them shows that a store's copies are whole.
  for (const copy of artifacts.flatMap(({ copies }) => copies)) {
    const without = failing.find(({ store }) => store === copy.store);
    if (without && isComplete(copy)) Object.assign(copy, { state: 'failed', error: `no manifest: ${without.error}` });
  }

  const whole = lacking.length === 0 && artifacts.every(({ copies }) => copies.every(isComplete));
  return {
    backup: snapshot.backup,
    cluster: cluster.name,
    node: node.name,
    takenAt: snapshot.takenAt,
    state: whole ? 'complete' : 'degraded',
    revision: snapshot.etcd.revision,
    totalKeys: snapshot.etcd.totalKeys,
    artifacts: artifacts.map(({ kind, node, stored, copies }) => ({ kind, ...(node && { node }), ...stored, copies })),
    ...(lacking.length > 0 && { lacking }),
    durationMs: Date.now() - startMs,
  };
}

function sentSnapshot({ key, compression, encrypted, content, stored, copies }: SnapshotTaken): Sent {
  return { kind: 'snapshot', key, compression, encrypted, content, stored, copies };
}

function sentStaticResources({ node, key, encrypted, content, stored, copies }: StaticResourcesTaken): Sent {
  return { kind: 'static-resources', node, key, compression: 'gzip', encrypted, content, stored, copies };
}

function manifestOf(
  cluster: Cluster,
  node: ClusterNode,
  { backup, takenAt, etcd }: SnapshotTaken,
  artifacts: ReadBack[],
  lacking: Lacking[],
): Manifest {
  const intended = Map.groupBy(
    artifacts.flatMap(({ kind, copies }) => copies.map(({ store }) => ({ store, kind }))),
    ({ store }) => store,
  );
  return {
    formatVersion: 1,
    salvor: SALVOR_VERSION,
    backup,
    cluster: cluster.name,
    flavour: cluster.flavour,
    node: { name: node.name, address: node.address },
    takenAt,
    etcd,
    ...(cluster.encryption && { recipients: cluster.encryption.recipients }),
    intendedStores: [...intended].map(([store, kept]) => ({
      store,
      kinds: [...new Set(kept.map(({ kind }) => kind))],
    })),
    artifacts: artifacts.map(({ copies, ...artifact }) => ({
      ...artifact,
      stores: copies.filter(isComplete).map(({ store }) => store),
    })),
    ...(lacking.length > 0 && { lacking }),
  };
}
