/** One backup is one stream: etcd → integrity check → zstd → age → every store at once. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { backupIdOf, snapshotKey } from '../../domain/names.ts';
import type { SnapshotTaken } from '../../domain/snapshot-source.ts';
import { encode } from '../encoding/encode.ts';
import { snapshotStatus } from '../etcd/etcdutl.ts';
import { endpointOf, withMember } from '../etcd/inspect.ts';
import { checkSnapshot } from '../etcd/integrity.ts';
import type { Member } from '../etcd/member.ts';
import { locateEtcdutl } from '../hosts/find.ts';
import { localHost } from '../hosts/local.ts';
import { putToAll } from '../stores/fan-out.ts';
import type { Store } from '../stores/store.ts';

export interface TakeSnapshotOptions {
  signal: AbortSignal;
  /** A folder of the worker with room for the database as it is. */
  scratch: string;
  now: () => Date;
  /** Told the key before the first byte is written there. */
  onKey: (key: string) => void;
}

/**
 * Streams a snapshot of one member to the stores. Either it passed every check and at least one store has it whole, or nothing of it is left.
 * @throws SalvorError `SnapshotInterrupted` when the stream broke or its bytes don't match their hash, and what the stores throw when none took it
 */
export async function takeSnapshot(
  cluster: Cluster,
  node: ClusterNode,
  stores: Store[],
  options: TakeSnapshotOptions,
): Promise<SnapshotTaken> {
  const { signal } = options;
  const takers = stores.filter((store) => store.holds('snapshot'));
  if (takers.length === 0) {
    throw new SalvorError(
      'InvalidConfiguration',
      `no store of ${cluster.name} holds snapshots; add "snapshot" to the "holds" of one`,
    );
  }
  const encrypted = cluster.encryption !== undefined;
  const { takenAt, backup, key } = await freeKey(cluster, node, takers, options);
  options.onKey(key);
  return await withMember(endpointOf(cluster, node), async (member) => {
    const file = join(options.scratch, 'snapshot.db');
    const stream = checkSnapshot(member.snapshot(signal), `the snapshot of ${node.name}`, 'SnapshotInterrupted');
    const encoded = encode(alsoTo(file, stream), {
      compression: cluster.compression,
      ...(cluster.encryption && { recipients: cluster.encryption.recipients }),
    });
    const puts = await putToAll(takers, key, encoded.body, { signal });
    const complete = puts.filter((put) => put.state === 'complete').map((put) => put.store);
    try {
      if (complete.length === 0) throw puts[0]?.error ?? new SalvorError('StoreUnavailable', `no store took ${key}`);
      const etcd = await describe(member, file, signal);
      const copies = puts.map(({ store, state, error }) => ({ store, state, ...(error && { error: error.message }) }));
      return { backup, takenAt, key, compression: cluster.compression, encrypted, ...encoded.digests(), copies, etcd };
    } catch (error) {
      await removeFromAll(
        takers.filter((store) => complete.includes(store.name)),
        key,
      );
      throw error;
    }
  });
}

/** A name that no store has yet: two backups in the same second get two names. */
async function freeKey(cluster: Cluster, node: ClusterNode, stores: Store[], { now, signal }: TakeSnapshotOptions) {
  const encoding = { compression: cluster.compression, encrypted: cluster.encryption !== undefined };
  for (let timeMs = now().getTime(); ; timeMs += 1_000) {
    const time = new Date(timeMs);
    const backup = backupIdOf(time);
    const key = snapshotKey(cluster.name, node.address, backup, encoding);
    // A store that can't be asked now will fail its own copy, and only that one.
    const found = await Promise.all(stores.map(async (store) => await store.head(key, signal).catch(() => undefined)));
    if (found.every((object) => object === undefined)) return { takenAt: time.toISOString(), backup, key };
  }
}

/** Passes a stream on and writes it to a file on the way: `etcdutl` reads files only. */
async function* alsoTo(path: string, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of source) {
      let written = 0;
      while (written < chunk.byteLength) written += (await file.write(chunk, written)).bytesWritten;
      yield chunk;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
      throw new SalvorError(
        'NoSpace',
        `no room for ${path} on the worker; set SALVOR_SCRATCH to a disk with room for the whole database`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    await file.close();
  }
}

async function describe(member: Member, file: string, signal: AbortSignal): Promise<Manifest['etcd']> {
  const host = localHost('this worker');
  const inSnapshot = await snapshotStatus(host, await locateEtcdutl(host), file, signal);
  const [status, members] = await Promise.all([member.status(signal), member.members(signal)]);
  const hashKv = await member.hashKv(signal, inSnapshot.revision).catch(() => {
    signal.throwIfAborted();
    return undefined; // compacted past that revision meanwhile
  });
  return {
    version: status.version,
    clusterId: status.clusterId,
    memberId: status.memberId,
    revision: inSnapshot.revision,
    totalKeys: inSnapshot.totalKeys,
    ...(hashKv && {
      hashKv: { revision: inSnapshot.revision, compactRevision: hashKv.compactRevision, hash: hashKv.hash },
    }),
    members: members.map(({ id, name, peerUrls, isLearner }) => ({ id, name, peerUrls, learner: isLearner })),
  };
}

/** Takes back what a failed or killed attempt left; a manifest never pointed to it. */
export async function removeFromAll(stores: Store[], key: string): Promise<void> {
  for (const store of stores) {
    try {
      await store.remove(key, AbortSignal.timeout(30_000));
    } catch (error) {
      // The sweep of orphans finds it later; the failure that led here matters more.
      process.emitWarning(`${store.name}: ${key} could not be removed: ${messageOf(error)}`);
    }
  }
}
