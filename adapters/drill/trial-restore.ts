/** Proves a snapshot by restoring it into a scratch etcd on the worker and reading it there. */
import { join } from 'node:path';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/manifest.ts';
import type { SnapshotSource } from '../../domain/snapshot-source.ts';
import { restoreSnapshot, snapshotStatus } from '../etcd/etcdutl.ts';
import { withMember } from '../etcd/inspect.ts';
import { startScratchEtcd } from '../etcd/scratch.ts';
import { locateEtcdutl } from '../hosts/find.ts';
import { localHost } from '../hosts/local.ts';
import { fetchSnapshot } from './fetch-snapshot.ts';

export interface Trial {
  store: string;
  content: Digest;
  revision: string;
  totalKeys: number;
  /** The key space of the restored member had the hash that the source had. Null when that can't be compared. */
  hashAgrees: boolean | null;
}

/**
 * Fetches, checks, restores and boots the very bytes that a restore will use. Nothing outside `scratch` is touched.
 * @throws SalvorError `BackupCorrupt` when they aren't what the manifest says, or don't restore
 */
export async function trialRestore(
  cluster: Cluster,
  source: SnapshotSource,
  scratch: string,
  signal: AbortSignal,
): Promise<Trial> {
  const host = localHost('this worker');
  const file = join(scratch, 'snapshot.db');
  const fetched = await fetchSnapshot(
    cluster,
    source,
    async (body) => await host.write(file, body, { mode: 0o600, signal }),
    signal,
  );
  const etcdutl = await locateEtcdutl(host);
  const { revision, totalKeys } = await snapshotStatus(host, etcdutl, file, signal);
  expectSame(source, 'revision', source.etcd?.revision, revision);
  expectSame(source, 'number of keys', source.etcd?.totalKeys, totalKeys);
  const dataDir = join(scratch, 'data');
  const peerUrl = 'http://127.0.0.1:2380';
  await restoreSnapshot(
    host,
    etcdutl,
    {
      file,
      dataDir,
      memberName: 'trial',
      peerUrl,
      clusterToken: 'salvor-trial',
      initialCluster: [{ name: 'trial', peerUrl }],
    },
    signal,
  );
  const hashAgrees = await compareServed(source, dataDir, revision, signal);
  return { ...fetched, revision, totalKeys, hashAgrees };
}

async function compareServed(
  source: SnapshotSource,
  dataDir: string,
  revision: string,
  signal: AbortSignal,
): Promise<boolean | null> {
  const etcd = await startScratchEtcd({ dataDir, signal });
  try {
    return await withMember({ node: 'the scratch etcd', clientUrl: etcd.clientUrl }, async (member) => {
      const served = await member.status(signal);
      // The scratch member may go on by itself, when a lease of the snapshot ends; it never goes back.
      if (BigInt(served.revision) < BigInt(revision)) expectSame(source, 'served revision', revision, served.revision);
      const hash = await member.hashKv(signal, revision);
      const expected = source.etcd?.hashKv;
      if (expected === undefined || expected.compactRevision !== hash.compactRevision) return null;
      expectSame(source, 'HashKV', expected.hash, hash.hash);
      return true;
    });
  } finally {
    await etcd.stop();
  }
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
