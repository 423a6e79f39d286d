/**
 * Streams one healthy member's snapshot to every store that can take it. If the member dies meanwhile, another one is
 * read.
 */
import { sleep } from '../kit/engine.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { SnapshotTaken } from '../../domain/format/snapshot-source.ts';
import { nodeOf } from '../../domain/nodes.ts';
import { keysBesideSnapshots } from '../../domain/backups/static-resources.ts';
import { formatBytes } from '../../domain/units.ts';
import { look, snapshots } from '../kit/activities.ts';
import { checked, failureTypeOf } from '../kit/failure.ts';
import type { Runbook } from '../kit/runbook.ts';

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 2_000;

/** A member that is about to be removed: it is not read, and what it says doesn't count. */
export type MemberApart = NonNullable<Parameters<typeof look.chooseSource>[0]['apart']>;

export async function streamSnapshot(
  cluster: Cluster,
  runbook: Runbook,
  apart?: MemberApart,
): Promise<{ node: ClusterNode; snapshot: SnapshotTaken }> {
  let source = await chooseSource(cluster, runbook, [], apart);
  const without = await checkStores(cluster, runbook, source);
  const broken: string[] = [];
  for (;;) {
    const node = checked(() => nodeOf(cluster.nodes, source.node));
    try {
      const snapshot = await runbook.step(
        'Stream the snapshot',
        node.name,
        async () => await snapshots.takeSnapshot({ cluster, node: node.name, without }),
        (taken) =>
          `${taken.backup}, revision ${taken.etcd.revision}, ${taken.etcd.totalKeys} keys, ${formatBytes(taken.content.bytes)}, stored as ${formatBytes(taken.stored.bytes)}`,
      );
      return { node, snapshot };
    } catch (error) {
      broken.push(node.name);
      const type = failureTypeOf(error);
      const another = type === 'SnapshotInterrupted' || type === 'MemberUnreachable';
      if (!another || broken.length === ATTEMPTS) throw error;
    }
    await sleep(FIRST_PAUSE_MS * 2 ** broken.length, { summary: 'before another member is read' });
    source = await chooseSource(cluster, runbook, broken, apart);
  }
}

type Source = Awaited<ReturnType<typeof look.chooseSource>>;

async function chooseSource(
  cluster: Cluster,
  runbook: Runbook,
  avoid: string[],
  apart: MemberApart | undefined,
): Promise<Source> {
  return await runbook.step(
    'Check the members and choose one',
    null,
    async () => await look.chooseSource({ cluster, avoid, ...(apart && { apart }) }),
    (chosen) =>
      `${chosen.node}, a ${chosen.role} at revision ${chosen.revision}; ${chosen.agreeing} of ${cluster.nodes.length} members hold the same keys` +
      (chosen.silent.length > 0 ? `; no answer from ${chosen.silent.join(', ')}` : ''),
  );
}

/**
 * @returns the stores without room, to which nothing is sent. A store that fails for another reason may be back when
 * the stream begins.
 */
async function checkStores(cluster: Cluster, runbook: Runbook, { dbSizeBytes, dbSizeInUseBytes }: Source) {
  // Pages that are not in use compress to almost nothing.
  const storeBytes = cluster.compression === 'none' ? dbSizeBytes : dbSizeInUseBytes;
  const { failing } = await runbook.step(
    'Check the stores',
    null,
    async () => await look.checkStores({ cluster, room: { storeBytes, scratchBytes: dbSizeBytes } }),
    ({ good, failing }) =>
      [
        `${good.join(', ')} ready`,
        ...failing.map(({ store, error }) => `${store} fails: ${error}`),
        ...keysBesideSnapshots(cluster).map(
          (store) => `${store} holds the snapshot and, in the static resources, the keys that decrypt it`,
        ),
      ].join('; '),
  );
  return failing.flatMap(({ store, error, noRoom }) => (noRoom ? [{ store, error }] : []));
}
