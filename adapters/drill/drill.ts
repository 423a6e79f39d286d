/** Proves a snapshot by doing with it what a restore would do, in scratch: fetch, check, restore, boot, read. */
import { join } from 'node:path';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { Digest, Proof } from '../../domain/manifest.ts';
import type { SnapshotSource } from '../../domain/snapshot-source.ts';
import type { DrillCheck } from '../../domain/verified.ts';
import { restoreSnapshot, snapshotStatus } from '../etcd/etcdutl.ts';
import { withMember } from '../etcd/inspect.ts';
import { startScratchEtcd } from '../etcd/scratch.ts';
import { locateEtcdutl } from '../hosts/find.ts';
import { localHost } from '../hosts/local.ts';
import { serveSnapshot } from '../kubernetes/serve.ts';
import { fetchSnapshot } from './fetch-snapshot.ts';

export interface DrillOptions {
  /** An empty folder of the worker with room for the database twice. */
  scratch: string;
  /** Whether a scratch kube-apiserver reads every object as well. */
  serve: boolean;
  signal: AbortSignal;
  /** Told each check as it passes, and how far the backup is proven by then. */
  onPassed?: (check: DrillCheck, proof: Proof) => void;
}

export interface DrillResult {
  /** The store it was read from. */
  store: string;
  content: Digest;
  revision: string;
  totalKeys: number;
  /** The restored member's keys had the hash that the source had. Null when that can't be compared. */
  hashAgrees: boolean | null;
}

/**
 * Fetches, checks, restores and boots the very bytes that a restore would use. Nothing outside `scratch` is touched.
 * @throws SalvorError `BackupCorrupt` when they aren't what the manifest says or don't restore; what the stores threw when none gave them
 */
export async function drill(cluster: Cluster, source: SnapshotSource, options: DrillOptions): Promise<DrillResult> {
  const { scratch, signal, onPassed = () => {} } = options;
  const passed = (name: string, seen: string, proof: Proof) => onPassed({ name, ok: true, seen }, proof);
  const host = localHost('this worker');
  const file = join(scratch, 'snapshot.db');
  const fetched = await fetchSnapshot(
    cluster,
    source,
    async (body) => await host.write(file, body, { mode: 0o600, signal }),
    signal,
  );
  passed(
    'every byte has the digest it was stored with',
    `${fetched.content.bytes} bytes from ${fetched.store}`,
    'hashed',
  );

  const etcdutl = await locateEtcdutl(host);
  const { revision, totalKeys } = await snapshotStatus(host, etcdutl, file, signal);
  expectSame(source, 'revision', source.etcd?.revision, revision);
  expectSame(source, 'number of keys', source.etcd?.totalKeys, totalKeys);
  passed('the database is whole', `revision ${revision}, ${totalKeys} keys`, 'hashed');

  const dataDir = join(scratch, 'data');
  const peerUrl = 'http://127.0.0.1:2380';
  const member = {
    memberName: 'drill',
    peerUrl,
    clusterToken: 'salvor-drill',
    initialCluster: [{ name: 'drill', peerUrl }],
  };
  await restoreSnapshot(host, etcdutl, { file, dataDir, ...member }, signal);
  const etcd = await startScratchEtcd({ dataDir, signal });
  try {
    const hashAgrees = await compareServed(source, etcd.clientUrl, revision, signal);
    const compared =
      hashAgrees === true ? 'HashKV as at the source' : 'HashKV not comparable: the source was compacted meanwhile';
    passed('a member restored from it serves its keys', compared, 'restored');
    if (options.serve) {
      const served = await serveSnapshot(etcd.clientUrl, join(scratch, 'kube-apiserver'), signal);
      passed(
        'a kube-apiserver reads every object of it',
        `${served.objects} objects of ${served.types} types`,
        'served',
      );
    }
    return { ...fetched, revision, totalKeys, hashAgrees };
  } finally {
    await etcd.stop();
  }
}

async function compareServed(source: SnapshotSource, clientUrl: string, revision: string, signal: AbortSignal) {
  return await withMember({ node: 'the scratch etcd', clientUrl }, async (member) => {
    const served = await member.status(signal);
    // The scratch member may go on by itself, when a lease of the snapshot ends; it never goes back.
    if (BigInt(served.revision) < BigInt(revision)) expectSame(source, 'served revision', revision, served.revision);
    const hash = await member.hashKv(signal, revision);
    const expected = source.etcd?.hashKv;
    if (expected === undefined || expected.compactRevision !== hash.compactRevision) return null;
    expectSame(source, 'HashKV', expected.hash, hash.hash);
    return true;
  });
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
    `the snapshot of backup ${source.backup} restores with another ${what}: expected ${expected}, got ${got}`,
  );
}
