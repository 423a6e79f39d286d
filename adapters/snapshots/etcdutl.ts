/** etcd's own tool for snapshot files, run on the host that has the file. Written for etcdutl 3.5 and later. */
import { z } from 'zod';
import { SalvorError } from '../../domain/errors.ts';
import type { CommandResult, Host } from '../hosts/host.ts';
import { lastLines } from '../hosts/tail.ts';

/** The time limit: reading or restoring takes about as long as copying the database. */
const TIMEOUT_MS = 30 * 60_000;

export interface SnapshotStatus {
  /** CRC-32 of the contents, as etcdutl prints it: hexadecimal. */
  hash: string;
  revision: string;
  totalKeys: number;
  totalSizeBytes: number;
  /** The storage version; absent before etcd 3.6. */
  version?: string;
}

const statusSchema = z.object({
  hash: z.number().int().nonnegative(),
  revision: z.number().int().nonnegative(),
  totalKey: z.number().int().nonnegative(),
  totalSize: z.number().int().nonnegative(),
  version: z.string().optional(),
});

/**
 * What a snapshot file holds. Only for a file whose bytes passed `checkSnapshot`: etcdutl checks no hash here, and
 * crashes on a truncated file.
 * @param etcdutl the path of etcdutl on the host
 * @throws SalvorError `BackupCorrupt` when etcdutl can't read the file or crashes on it
 */
export async function snapshotStatus(
  host: Host,
  etcdutl: string,
  file: string,
  signal: AbortSignal,
): Promise<SnapshotStatus> {
  const argv = [etcdutl, 'snapshot', 'status', file, '--write-out', 'json'] as const;
  const result = await host.run(argv, { signal, timeoutMs: TIMEOUT_MS });
  if (result.exitCode !== 0) throw refusal(host, `can't read the snapshot ${file}`, result);
  const answer = statusSchema.safeParse(parseJson(result.stdout));
  if (!answer.success) {
    throw new SalvorError(
      'CommandFailed',
      `${host.name}: \`etcdutl snapshot status ${file}\` gave an unexpected answer (${z.prettifyError(answer.error)}): ${lastLines(result.stdout)}; check that ${etcdutl} is etcdutl 3.5 or later`,
    );
  }
  const { hash, revision, totalKey, totalSize, version } = answer.data;
  return {
    hash: hash.toString(16),
    revision: String(revision),
    totalKeys: totalKey,
    totalSizeBytes: totalSize,
    ...(version && { version }),
  };
}

export interface RestoreOrder {
  file: string;
  /** Made by etcdutl; must not exist. */
  dataDir: string;
  memberName: string;
  peerUrl: string;
  /** Every member of the new cluster, including this one. */
  initialCluster: { name: string; peerUrl: string }[];
  /** Another token gives the new cluster another ID, so members of the old cluster can't mix with it. */
  clusterToken: string;
  /**
   * Added to the snapshot's revision. etcdutl wants this and `markCompacted` together, or neither; 3.5 has them from
   * 3.5.9.
   */
  bumpRevision?: string;
  /** Marks everything before the new revision as compacted, so old watches end and clients list again. */
  markCompacted?: boolean;
  /** For a file copied from a data directory, which has no hash at its end. */
  skipHashCheck?: boolean;
}

/**
 * Makes a member's data directory from a snapshot file. A kill leaves it incomplete: restore into a scratch directory
 * and rename it once this has returned.
 * @param etcdutl the path of etcdutl on the host
 * @throws SalvorError `UnsafeState` when the data directory exists, `BackupCorrupt` when the snapshot is refused,
 * `NoSpace`
 */
export async function restoreSnapshot(
  host: Host,
  etcdutl: string,
  order: RestoreOrder,
  signal: AbortSignal,
): Promise<void> {
  const { file, dataDir } = order;
  if ((await host.typeOf(dataDir, signal)) !== undefined) {
    throw new SalvorError(
      'UnsafeState',
      `${host.name}: ${dataDir} exists; a snapshot can be restored only into a new directory; move this one away first`,
    );
  }
  const argv = [
    etcdutl,
    'snapshot',
    'restore',
    file,
    `--data-dir=${dataDir}`,
    `--name=${order.memberName}`,
    `--initial-cluster=${order.initialCluster.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')}`,
    `--initial-cluster-token=${order.clusterToken}`,
    `--initial-advertise-peer-urls=${order.peerUrl}`,
    ...(order.bumpRevision === undefined ? [] : [`--bump-revision=${order.bumpRevision}`]),
    ...(order.markCompacted ? ['--mark-compacted'] : []),
    ...(order.skipHashCheck ? ['--skip-hash-check'] : []),
  ] as const;
  const result = await host.run(argv, { signal, timeoutMs: TIMEOUT_MS });
  if (result.exitCode !== 0) throw refusal(host, `can't restore ${file} into ${dataDir}`, result);
}

/**
 * The words with which etcdutl, bbolt and Go's runtime refuse bytes that are not a whole database, or crash on them.
 */
const CORRUPTION =
  /^(?:panic|fatal error|unexpected fault address|Error: (?:expected sha256|snapshot missing hash|invalid database|checksum|version mismatch|file size too small|unexpected EOF))/m;
/** SIGSEGV and SIGBUS. */
const CRASHES = [139, 135];

function refusal(host: Host, problem: string, { exitCode, stdout, stderr }: CommandResult): SalvorError {
  const said = `${stderr}\n${stdout}`.trim();
  // etcdutl logs before the reason, and Go prints a long trace after it.
  const reason = /^(?:Error|panic|fatal error): .*$/m.exec(said)?.[0] ?? lastLines(said);
  const message = `${host.name}: etcdutl ${problem} (exit code ${exitCode}): ${reason}`;
  if (/no space left|quota exceeded/i.test(said)) return new SalvorError('NoSpace', `${message}; make room and retry`);
  if (CORRUPTION.test(said) || CRASHES.includes(exitCode)) return new SalvorError('BackupCorrupt', message);
  return new SalvorError('CommandFailed', message);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
