/**
 * The tool that restores a node's data directory: etcdutl, and before etcd 3.5 etcdctl. Only the one of its own release
 * writes what an etcd reads for certain.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { provideTool } from '../binaries/binaries.ts';
import { sha256OfFile } from '../binaries/checksums.ts';
import type { Host } from '../hosts/host.ts';
import { minorVersionOf } from '../../domain/etcd-version.ts';

export interface NodeTool {
  /** On the node. */
  path: string;
  name: 'etcdutl' | 'etcdctl';
  version: string;
  /** Where it comes from, for people. */
  source: string;
  /**
   * Whether it knows `--bump-revision` and `--mark-compacted`: from 3.4.27, 3.5.10 and 3.6.0 on. Without them clients
   * that watch are not told that the revision went back.
   */
  raisesRevision: boolean;
}

/** A tool whose version is known, and nothing else yet. */
type Found = Omit<NodeTool, 'raisesRevision'>;

/** What was brought to a node stays there for the next time. */
const TOOLS = '/var/tmp/salvor';

/** Older ones have no API version 3 unless told. */
const OLDEST = '3.4';
/** From here on etcdutl restores; etcdctl lost it in 3.6. */
const FIRST_WITH_ETCDUTL = '3.5';

/** The kernel's names for processors, by Node's. */
const MACHINES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * Finds the tool on a node: the one of the configuration; on its PATH; the one beside the etcd that runs, in its
 * container for example; else the worker's own, which is brought along; else one that an earlier look, `salvor
 * doctor`'s for example, has copied while etcd ran.
 * @param snapshotVersion of the etcd that gave the snapshot, for a node whose etcd doesn't say its own
 * @throws SalvorError `ToolMissing` when none fits, with what was looked at
 */
export async function etcdutlOn(
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
  snapshotVersion?: string,
): Promise<NodeTool> {
  const found = await findTool(node, host, signal, snapshotVersion);
  const help = await host.run([found.path, 'snapshot', 'restore', '--help'], { signal });
  return { ...found, raisesRevision: `${help.stdout}${help.stderr}`.includes('--bump-revision') };
}

async function findTool(
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
  snapshotVersion: string | undefined,
): Promise<Found> {
  const { etcdutl } = node.etcd;
  if (etcdutl !== undefined) {
    const said = await askVersion(host, etcdutl, signal);
    if (said !== undefined && minorVersionOf(said.version) >= minorVersionOf(OLDEST)) {
      return { path: etcdutl, ...said, source: 'configuration' };
    }
    const what = said === undefined ? 'it does not run' : `${said.name} ${said.version}`;
    throw missing(node, [`etcd.etcdutl of the configuration, ${etcdutl}: ${what}`]);
  }

  const seen: string[] = [];
  const etcd = await runningEtcd(node, host, signal);
  let version = etcd?.version;
  if (version !== undefined) seen.push(`etcd ${version} runs there`);
  else if ((version = await etcdOnPath(host, signal)) !== undefined) seen.push(`etcd ${version} is on PATH`);
  else if ((version = snapshotVersion) !== undefined) seen.push(`the snapshot is of etcd ${version}`);
  const name =
    version !== undefined && minorVersionOf(version) < minorVersionOf(FIRST_WITH_ETCDUTL) ? 'etcdctl' : 'etcdutl';
  const fits = (said: { name: string; version: string } | undefined) =>
    said?.name === name && (version === undefined || minorVersionOf(said.version) === minorVersionOf(version));

  const onPath = await askVersion(host, name, signal);
  if (onPath && fits(onPath)) return { path: name, ...onPath, source: "the node's PATH" };
  seen.push(`${name} on PATH: ${onPath?.version ?? 'none'}`);

  if (etcd !== undefined) {
    const path = join(etcd.folder, name);
    const beside = await askVersion(host, path, signal);
    // A copy: the container, and the tool with it, goes before the restore ends.
    if (beside && fits(beside)) return await copiedOnNode(host, path, beside, signal);
    seen.push(`beside the running etcd: ${beside?.version ?? 'none'}`);
  }

  if (name === 'etcdutl') {
    const own = await ownEtcdutl(node, host, signal);
    seen.push(`the worker's own: ${own.version}${own.misfit ?? ''}`);
    if (own.misfit === undefined && fits({ name, version: own.version })) return await own.bring();
  }
  for (const kept of version === undefined ? [] : await keptOnNode(host, signal)) {
    const said = await askVersion(host, kept, signal);
    if (said && fits(said)) return { path: kept, ...said, source: 'kept on the node from an earlier time' };
    seen.push(`kept on the node: ${said?.version ?? kept}`);
  }
  throw missing(node, seen);
}

function missing(node: ClusterNode, seen: string[]): SalvorError {
  return new SalvorError(
    'ToolMissing',
    `${node.name}: no etcdutl (before etcd 3.5: etcdctl ${OLDEST}) that fits, of the release of its etcd (${seen.join('; ')}); install it on the node and name it with etcd.etcdutl`,
  );
}

/** Undefined when it isn't there or doesn't run. */
async function askVersion(
  host: Host,
  path: string,
  signal: AbortSignal,
): Promise<Pick<NodeTool, 'name' | 'version'> | undefined> {
  const match = /^(etcdutl|etcdctl) version: (\d+\.\d+\.\d+)/m.exec(await said(host, [path, 'version'], signal));
  const [, name, version] = match ?? [];
  if (version === undefined || (name !== 'etcdutl' && name !== 'etcdctl')) return undefined;
  return { name, version };
}

async function etcdOnPath(host: Host, signal: AbortSignal): Promise<string | undefined> {
  return /^etcd Version: (\d+\.\d+\.\d+)/m.exec(await said(host, ['etcd', '--version'], signal))?.[1];
}

/** The standard output of a command; nothing when it isn't there or doesn't run. */
async function said(host: Host, argv: readonly [string, ...string[]], signal: AbortSignal): Promise<string> {
  try {
    return (await host.run(argv, { signal })).stdout;
  } catch (error) {
    if (error instanceof SalvorError && (error.type === 'ToolMissing' || error.type === 'CommandFailed')) return '';
    throw error;
  }
}

/**
 * Prints the process of the etcd with a data directory, the version it says, and the folder that its program lies in.
 * Its command line names the directory, or it has the database open: a container may know the directory by another
 * path.
 */
const FIND_ETCD = `
for pid in $(pgrep -x etcd); do
  found=
  tr '\\0' '\\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -e "--data-dir=$1" -e "$1" && found=yes
  for file in /proc/"$pid"/fd/*; do
    [ -z "$found" ] || break
    [ "$file" -ef "$1/member/snap/db" ] && found=yes
  done
  if [ -n "$found" ]; then
    program=$(readlink "/proc/$pid/exe")
    echo "$pid $("/proc/$pid/exe" --version 2>/dev/null | sed -n 's/^etcd Version: //p') \${program%/*}"
    exit
  fi
done`;

async function runningEtcd(node: ClusterNode, host: Host, signal: AbortSignal) {
  const { stdout } = await host.run(['sh', '-c', FIND_ETCD, 'salvor', node.etcd.dataDir], { signal });
  // An image may have etcd in its root: then the folder is empty.
  const match = /^(\d+) (\d+\.\d+\.\d+)?\S* (\/.*)?\n$/.exec(stdout);
  if (!match) return undefined;
  const [, pid, version, folder = ''] = match;
  return { version, folder: `/proc/${pid}/root${folder}` };
}

async function copiedOnNode(
  host: Host,
  from: string,
  tool: Pick<NodeTool, 'name' | 'version'>,
  signal: AbortSignal,
): Promise<Found> {
  const path = join(await toolFolder(host, signal), `${tool.name}-${tool.version}`);
  if ((await sha256On(host, path, signal)) !== (await sha256On(host, from, signal))) {
    await host.write(path, await host.read(from, signal), { mode: 0o755, signal });
  }
  return { path, ...tool, source: 'a copy of the one beside its etcd' };
}

/** The worker's own etcdutl: used where it lies when the node is this machine, else brought along. */
async function ownEtcdutl(node: ClusterNode, host: Host, signal: AbortSignal) {
  const { path, version } = await provideTool('etcdutl', { signal }).catch((error: unknown) => {
    if (!(error instanceof SalvorError && error.type === 'ToolMissing')) throw error;
    throw new SalvorError('ToolMissing', `${node.name}: ${error.message}`, { cause: error });
  });
  if (node.connection === 'local') {
    const bring = (): Promise<Found> => Promise.resolve({ path, name: 'etcdutl', version, source: 'worker' });
    return { version, misfit: undefined, bring };
  }
  const { stdout: machine } = await host.run(['uname', '-sm'], { signal });
  const runs = process.platform === 'linux' && machine.trim() === `Linux ${MACHINES[process.arch]}`;
  const misfit = runs ? undefined : `, which does not run on ${machine.trim()}`;
  return { version, misfit, bring: async () => await brought(host, path, version, signal) };
}

async function brought(host: Host, from: string, version: string, signal: AbortSignal): Promise<Found> {
  const path = join(await toolFolder(host, signal), `etcdutl-${version}`);
  if ((await sha256On(host, path, signal)) !== (await sha256OfFile(from))) {
    await host.write(path, createReadStream(from), { mode: 0o755, signal });
  }
  if ((await askVersion(host, path, signal))?.version === version)
    return { path, name: 'etcdutl', version, source: "the worker's, brought along" };
  throw new SalvorError(
    'ToolMissing',
    `${host.name}: etcdutl was brought along as ${path}, but doesn't run there (is ${TOOLS} mounted noexec?); install it on the node and name it with etcd.etcdutl`,
  );
}

/** What was copied to the node before, newest version first. */
async function keptOnNode(host: Host, signal: AbortSignal): Promise<string[]> {
  const folder = await toolFolder(host, signal);
  const names = (await host.list(folder, signal)).map(({ name }) => name);
  return names
    .filter((name) => /^etcd(?:utl|ctl)-\d+\.\d+\.\d+$/.test(name))
    .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => join(folder, name));
}

/**
 * Anyone may write in /var/tmp: what lies there is run only from a folder that nobody else could have made or filled.
 */
async function toolFolder(host: Host, signal: AbortSignal): Promise<string> {
  await host.makeDirectory(TOOLS, { mode: 0o755, signal });
  const { stdout } = await host.run(['sh', '-c', 'stat -c "%F %u %a" -- "$1" && id -u', 'salvor', TOOLS], { signal });
  const match = /^directory (\d+) (\d+)\n(\d+)\n$/.exec(stdout);
  if (match && match[1] === match[3] && (Number.parseInt(match[2] ?? '', 8) & 0o022) === 0) return TOOLS;
  throw new SalvorError(
    'UnsafeState',
    `${host.name}: ${TOOLS} belongs to somebody else, or others may write into it (${stdout.trim().replace('\n', ', ')}); remove it`,
  );
}

async function sha256On(host: Host, path: string, signal: AbortSignal): Promise<string | undefined> {
  const { exitCode, stdout } = await host.run(['sha256sum', '--', path], { signal });
  return exitCode === 0 ? /^\\?([0-9a-f]{64}) /.exec(stdout)?.[1] : undefined;
}
