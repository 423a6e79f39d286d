/** One backup is one stream: etcd → integrity check → zstd → age → every store at once. */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/format/manifest.ts';
import type { SnapshotTaken } from '../../domain/format/snapshot-source.ts';
import { encode } from '../encoding/encode.ts';
import { snapshotStatus } from '../snapshots/etcdutl.ts';
import { endpointOf, withMember } from '../etcd/inspect.ts';
import { checkSnapshot } from '../snapshots/integrity.ts';
import type { Member } from '../etcd/member.ts';
import { locateEtcdutl } from '../hosts/find.ts';
import { localHost } from '../hosts/local.ts';
import type { Store } from '../stores/store.ts';
import type { SnapshotAttempt } from './attempt.ts';
import { freeKey } from './free-key.ts';
import { sendSnapshot } from './send-snapshot.ts';
import { hasErrorCode } from '../system-errors.ts';

export interface TakeSnapshotOptions {
  signal: AbortSignal;
  /** A folder of the worker with room for the uncompressed database. */
  scratch: string;
  now: () => Date;
  /**
   * Called with the key before the first byte is written there, and with what the next attempt needs to continue as
   * soon as a store has the whole snapshot.
   */
  remember: (attempt: SnapshotAttempt) => void;
}

/**
 * Streams a snapshot of one member to the stores. Afterwards either it has passed every check and at least one store
 * has all of it, or nothing of it is left.
 * @throws SalvorError `SnapshotInterrupted` when the stream broke or its bytes don't match their hash, and what the
 * stores throw when none took it
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
  options.remember({ key });
  return await withMember(endpointOf(cluster, node), async (member) => {
    const file = join(options.scratch, 'snapshot.db');
    const where = `the snapshot of ${node.name}`;
    const checked = checkSnapshot(alsoTo(file, member.snapshot(signal)), where, { failure: 'SnapshotInterrupted' });
    const encoded = encode(checked, {
      compression: cluster.compression,
      contentDigest: () => checked.digest(),
      ...(cluster.encryption && { recipients: cluster.encryption.recipients }),
    });
    const learn = async () => {
      const etcd = await describe(member, file, signal);
      return { backup, takenAt, key, compression: cluster.compression, encrypted, ...encoded.digests(), etcd };
    };
    return await sendSnapshot(takers, key, encoded.body, () => encoded.digests().stored, learn, options);
  });
}

/** Passes a stream on and also writes it to a file: `etcdutl` reads only files. */
async function* alsoTo(path: string, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const file = await open(path, 'wx', 0o600);
  let writing = Promise.resolve();
  try {
    for await (const chunk of source) {
      await writing;
      writing = appendWhole(file, chunk);
      // This write is awaited with the next chunk, or at the end.
      writing.catch(() => undefined);
      yield chunk;
    }
    await writing;
  } catch (error) {
    if (hasErrorCode(error, 'ENOSPC')) {
      throw new SalvorError(
        'NoSpace',
        `the worker has no room for ${path}; set SALVOR_SCRATCH to a disk with room for the whole database`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    await writing.catch(() => undefined);
    await file.close();
  }
}

async function appendWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let written = 0;
  while (written < chunk.byteLength) written += (await file.write(chunk, written)).bytesWritten;
}

async function describe(member: Member, file: string, signal: AbortSignal): Promise<Manifest['etcd']> {
  const host = localHost('this worker');
  const inSnapshot = await snapshotStatus(host, await locateEtcdutl(host), file, signal);
  const [status, members] = await Promise.all([member.status(signal), member.members(signal)]);
  const hashKv = await member.hashKv(signal, inSnapshot.revision).catch(() => {
    signal.throwIfAborted();
    return undefined; // compacted past that revision in the meantime
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
