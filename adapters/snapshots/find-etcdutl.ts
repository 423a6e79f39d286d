/**
 * Finds the tool that restores a node's data directory: etcdutl, and before etcd 3.5 etcdctl. Only the tool of an
 * etcd's own release is certain to write what that etcd can read.
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
   * Whether it has `--bump-revision` and `--mark-compacted`: from 3.4.27, 3.5.10 and 3.6.0 on. Without them, watching
   * clients don't notice that the revision went back.
   */
  raisesRevision: boolean;
}

/** A tool of which only the version is known. */
type Found = Omit<NodeTool, 'raisesRevision'>;

/** The folder for tools that were brought to a node; they stay there for the next time. */
const TOOLS = '/var/tmp/salvor';

/** Older ones don't use API version 3 by default. */
const OLDEST = '3.4';
/** From this version on etcdutl restores; etcdctl lost the command in 3.6. */
const FIRST_WITH_ETCDUTL = '3.5';

/** The kernel's names of processors, by Node's. */
const MACHINES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * Finds the tool on a node: the configured one; one on its PATH; one next to the running etcd, for example in its
 * container; else the worker's own, which is copied to the node; else one that an earlier look, for example by `salvor
 * doctor`, copied while etcd ran.
 * @param snapshotVersion of the etcd that gave the snapshot, for a node whose etcd doesn't say its own
 * @throws SalvorError `ToolMissing` when none fits, naming everything that was tried
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
  else if ((version = snapshotVersion) !== undefined) seen.push(`the snapshot is from etcd ${version}`);
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
    // A copy is used: the container, and the tool in it, will be gone before the restore ends.
    if (beside && fits(beside)) return await copiedOnNode(host, path, beside, signal);
    seen.push(`next to the running etcd: ${beside?.version ?? 'none'}`);
  }

  if (name === 'etcdutl') {
    const own = await ownEtcdutl(node, host, signal);
    seen.push(`the worker's own: ${own.version}${own.misfit ?? ''}`);
    if (own.misfit === undefined && fits({ name, version: own.version })) return await own.bring();
  }
  for (const kept of version === undefined ? [] : await keptOnNode(host, signal)) {
    const said = await askVersion(host, kept, signal);
    if (said && fits(said)) return { path: kept, ...said, source: 'kept on the node from an earlier run' };
    seen.push(`kept on the node: ${said?.version ?? kept}`);
  }
  throw missing(node, seen);
}

function missing(node: ClusterNode, seen: string[]): SalvorError {
  return new SalvorError(
    'ToolMissing',
    `${node.name}: no fitting etcdutl (before etcd 3.5: etcdctl ${OLDEST}) of its etcd's release was found (${seen.join('; ')}); install it on the node and set etcd.etcdutl to its path`,
  );
}

/** Undefined when it doesn't exist or doesn't run. */
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

/** The standard output of a command; empty if it doesn't exist or doesn't run. */
async function said(host: Host, argv: readonly [string, ...string[]], signal: AbortSignal): Promise<string> {
  try {
    return (await host.run(argv, { signal })).stdout;
  } catch (error) {
    if (error instanceof SalvorError && (error.type === 'ToolMissing' || error.type === 'CommandFailed')) return '';
    throw error;
  }
}

/**
 * Prints, for the etcd with a data directory, its process ID, the version it reports, and the folder of its program. An
 * etcd has the directory if its command line names it or it has the database open: a container may know the directory
 * by another path.
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
  return { path, ...tool, source: 'a copy of the one next to its etcd' };
}

/** The worker's own etcdutl: used in place if the node is this machine, else copied to the node. */
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
    return { path, name: 'etcdutl', version, source: "the worker's, copied to the node" };
  throw new SalvorError(
    'ToolMissing',
    `${host.name}: etcdutl was copied to ${path}, but doesn't run there (${TOOLS} may be mounted noexec); install it on the node and set etcd.etcdutl to its path`,
  );
}

/** Tools that were copied to the node earlier, newest version first. */
async function keptOnNode(host: Host, signal: AbortSignal): Promise<string[]> {
  const folder = await toolFolder(host, signal);
  const names = (await host.list(folder, signal)).map(({ name }) => name);
  return names
    .filter((name) => /^etcd(?:utl|ctl)-\d+\.\d+\.\d+$/.test(name))
    .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => join(folder, name));
}

/** Anyone may write in /var/tmp: a tool there is run only from a folder that nobody else could have made or filled. */
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
