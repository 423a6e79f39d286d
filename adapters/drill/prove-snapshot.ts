/** Proves a snapshot file by doing what a restore would do, in scratch: check, restore, boot, read. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SalvorError } from '../../domain/errors.ts';
import type { SnapshotSource } from '../../domain/format/snapshot-source.ts';
import { findTool } from '../binaries/binaries.ts';
import { restoreSnapshot, snapshotStatus } from '../snapshots/etcdutl.ts';
import { lacksHash } from '../snapshots/integrity.ts';
import { withMember } from '../etcd/inspect.ts';
import type { MemberEndpoint } from '../etcd/member.ts';
import { startScratchEtcd } from '../etcd/scratch-member.ts';
import { locateEtcdutl } from '../hosts/find.ts';
import { localHost } from '../hosts/local.ts';
import { serveSnapshot } from '../kubernetes/objects/serve.ts';
import type { Checking, Seen } from './checking.ts';

/** For messages. */
const SERVED_BY = 'the scratch etcd';

export interface ProofOptions {
  /** A folder of the worker with room for one more copy of the database. */
  scratch: string;
  /** The prefix of a Kubernetes cluster's objects in etcd; absent when no kube-apiserver is to read them. */
  registryPrefix?: string;
  check: Checking;
  signal: AbortSignal;
}

export interface Proven {
  revision: string;
  totalKeys: number;
  /** Whether the restored member's keys had the same hash as the source's. Null when the hashes can't be compared. */
  hashAgrees: boolean | null;
}

/**
 * Restores and boots the file. Nothing outside `scratch` is touched.
 * @param file a file that passed `checkSnapshot`
 * @throws SalvorError `BackupCorrupt` when the file differs from the manifest, doesn't restore, or can't be served
 */
export async function proveSnapshot(file: string, source: SnapshotSource, options: ProofOptions): Promise<Proven> {
  return await withProven(file, source, options, async (proven) => proven);
}

/**
 * Does the same, and runs `work` while the restored etcd runs.
 * @throws SalvorError as `proveSnapshot`; what `work` throws
 */
export async function withProven<T>(
  file: string,
  source: SnapshotSource,
  options: ProofOptions,
  work: (proven: Proven, served: MemberEndpoint) => Promise<T>,
): Promise<T> {
  const { scratch, registryPrefix, check, signal } = options;
  const host = localHost('this worker');
  const etcdutl = await locateEtcdutl(host);
  const { revision, totalKeys } = await check('the database is whole', 'hashed', async () => {
    const status = await snapshotStatus(host, etcdutl, file, signal);
    expectSame(source, 'revision', source.etcd?.revision, status.revision);
    expectSame(source, 'number of keys', source.etcd?.totalKeys, status.totalKeys);
    return { value: status, seen: `revision ${status.revision}, ${status.totalKeys} keys` };
  });

  const dataDir = join(scratch, 'data');
  const peerUrl = 'http://127.0.0.1:2380';
  const member = {
    memberName: 'drill',
    peerUrl,
    clusterToken: 'salvor-drill',
    initialCluster: [{ name: 'drill', peerUrl }],
  };
  const etcd = await check('an etcd restored from it starts', 'hashed', async () => {
    const skipHashCheck = source.skipHashCheck === true && lacksHash((await stat(file)).size);
    await restoreSnapshot(host, etcdutl, { file, dataDir, skipHashCheck, ...member }, signal);
    const started = await startScratchEtcd({ dataDir, signal });
    return { value: started, seen: 'it has a leader' };
  });
  try {
    const hashAgrees = await check('it serves the keys of the source', 'restored', async () => {
      return await compareServed(source, etcd.clientUrl, revision, signal);
    });
    if (registryPrefix !== undefined) {
      const directory = join(scratch, 'kube-apiserver');
      await check('a kube-apiserver reads every object', 'served', async () => {
        return await readObjects({ etcdUrl: etcd.clientUrl, directory, registryPrefix, signal });
      });
    }
    return await work({ revision, totalKeys, hashAgrees }, { node: SERVED_BY, clientUrl: etcd.clientUrl });
  } finally {
    await etcd.stop();
  }
}

async function compareServed(
  source: SnapshotSource,
  clientUrl: string,
  revision: string,
  signal: AbortSignal,
): Promise<Seen<true | null>> {
  return await withMember({ node: SERVED_BY, clientUrl }, async (member) => {
    const served = await member.status(signal);
    // The scratch member's revision may rise when a lease of the snapshot expires; it never falls.
    if (BigInt(served.revision) < BigInt(revision)) expectSame(source, 'served revision', revision, served.revision);
    const hash = await member.hashKv(signal, revision);
    const expected = source.etcd?.hashKv;
    if (expected === undefined || expected.compactRevision !== hash.compactRevision) {
      const why = expected === undefined ? 'the source gave none' : 'the source was compacted in the meantime';
      return { value: null, seen: `revision ${revision}; HashKV not comparable: ${why}` };
    }
    expectSame(source, 'HashKV', expected.hash, hash.hash);
    return { value: true, seen: `HashKV ${hash.hash} at revision ${revision}, the same as at the source` };
  });
}

async function readObjects(options: Parameters<typeof serveSnapshot>[0]): Promise<Seen<null>> {
  if ((await findTool('kube-apiserver')) === undefined) {
    const seen = 'not done: this worker has no kube-apiserver; put one on its PATH';
    return { value: null, skipped: true, seen };
  }
  const served = await serveSnapshot(options);
  if ('unserved' in served) return { value: null, skipped: true, seen: `not done: ${served.unserved}` };
  const { objects, types, version } = served;
  return { value: null, seen: `${objects} objects of ${types} types, by kube-apiserver ${version}` };
}

function expectSame(
  source: SnapshotSource,
  what: string,
  expected: string | number | undefined,
  got: string | number,
): void {
  if (expected === undefined || expected === got) return;
  throw new SalvorError(
    'BackupCorrupt',
    `the snapshot of backup ${source.backup} was restored with a different ${what}: expected ${expected}, got ${got}`,
  );
}
