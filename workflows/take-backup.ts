/** The steps that make a backup; `backup` is these, and a restore saves the present state by them. */
import type { ClusterNode } from '../domain/configuration/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import type { Manifest } from '../domain/manifest.ts';
import type { BackupReport, CopyState } from '../domain/operations.ts';
import type { SnapshotTaken } from '../domain/snapshot-source.ts';
import { SALVOR_VERSION } from '../domain/version.ts';
import { look, stream } from './activities.ts';
import { checked, failure, reasonOf } from './failure.ts';
import type { Runbook } from './runbook.ts';
import { megabytes } from './words.ts';

interface Copy {
  store: string;
  key: string;
  state: CopyState;
  error?: string;
}

/** Takes one backup: chooses a member, streams its snapshot to every store, reads the copies back, writes the manifest. */
export async function takeBackup(cluster: Cluster, runbook: Runbook): Promise<BackupReport> {
  const startMs = Date.now();
  const source = await runbook.step(
    'Check the members and choose one',
    null,
    async () => await look.chooseSource({ cluster }),
    (chosen) =>
      `${chosen.node}, a ${chosen.role} at revision ${chosen.revision}; ${chosen.agreeing} of ${cluster.nodes.length} members hold the same keys` +
      (chosen.silent.length > 0 ? `; no answer from ${chosen.silent.join(', ')}` : ''),
  );
  const node = checked(() => nodeNamed(cluster, source.node));

  await runbook.step(
    'Check the stores',
    null,
    async () => await look.checkStores({ cluster }),
    ({ good, failing }) =>
      [`${good.join(', ')} ready`, ...failing.map(({ store, error }) => `${store} fails: ${error}`)].join('; '),
  );

  const snapshot = await runbook.step(
    'Stream the snapshot',
    node.name,
    async () => await stream.takeSnapshot({ cluster, node: node.name }),
    (taken) =>
      `${taken.backup}, revision ${taken.etcd.revision}, ${taken.etcd.totalKeys} keys, ${megabytes(taken.content.bytes)}, stored as ${megabytes(taken.stored.bytes)}`,
  );

  const copies = await runbook.step(
    'Read the copies back',
    null,
    async () => await readCopiesBack(cluster, snapshot),
    (read) => read.map(({ store, state, error }) => `${store}: ${error ?? state}`).join('; '),
  );

  await runbook.step(
    'Write the manifest',
    null,
    async () => await look.writeManifest({ cluster, manifest: manifestOf(cluster, node, snapshot, copies) }),
    ({ key, stores }) => `${key} in ${stores.join(', ')}`,
  );

  return {
    backup: snapshot.backup,
    cluster: cluster.name,
    node: node.name,
    takenAt: snapshot.takenAt,
    state: copies.every((copy) => copy.state === 'complete') ? 'complete' : 'degraded',
    revision: snapshot.etcd.revision,
    totalKeys: snapshot.etcd.totalKeys,
    artifacts: [{ kind: 'snapshot', ...snapshot.stored, copies }],
    durationMs: Date.now() - startMs,
  };
}

/** Every copy that was written is read again; a store whose copy differs counts as failed, and not all may fail. */
async function readCopiesBack(cluster: Cluster, { key, stored, copies }: SnapshotTaken): Promise<Copy[]> {
  const read = await Promise.all(
    copies.map(async ({ store, state, error }): Promise<Copy> => {
      if (state === 'failed') return { store, key, state, ...(error !== undefined && { error }) };
      try {
        await stream.readBackCopy({ cluster, store, key, expected: stored });
        return { store, key, state };
      } catch (failed) {
        return { store, key, state: 'failed', error: reasonOf(failed) };
      }
    }),
  );
  if (read.some((copy) => copy.state === 'complete')) return read;
  throw failure(
    'StoreUnavailable',
    `no store gives back what it was sent: ${read.map(({ store, error }) => `${store}: ${error ?? ''}`).join('; ')}`,
  );
}

function manifestOf(cluster: Cluster, node: ClusterNode, snapshot: SnapshotTaken, copies: Copy[]): Manifest {
  const { backup, takenAt, key, compression, encrypted, content, stored, etcd } = snapshot;
  const complete = copies.filter((copy) => copy.state === 'complete').map((copy) => copy.store);
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
    intendedStores: copies.map(({ store }) => ({ store, kinds: ['snapshot'] })),
    artifacts: [{ kind: 'snapshot', key, compression, encrypted, content, stored, stores: complete }],
  };
}

function nodeNamed(cluster: Cluster, name: string): ClusterNode {
  const node = cluster.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw failure('InvalidInput', `no node of ${cluster.name} is named "${name}"`);
  return node;
}
