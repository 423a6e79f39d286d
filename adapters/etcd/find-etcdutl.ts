/** The etcdutl that fits a node's etcd: only the tool of its own release writes what it reads for certain. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { provideTool } from '../../tools/binaries.ts';
import { sha256OfFile } from '../../tools/checksums.ts';
import { locateEtcdutl } from '../hosts/find.ts';
import type { Host } from '../hosts/host.ts';

export interface NodeTool {
  /** On the node. */
  path: string;
  version: string;
  /** Where it comes from, for people. */
  source: string;
}

/** What was brought to a node stays there for the next time. */
const TOOLS = '/var/tmp/salvor';

/** The first to know `--bump-revision` and `--mark-compacted`. */
const OLDEST = [3, 5, 9] as const;

/** The kernel's names for processors, by Node's. */
const MACHINES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * Finds etcdutl on a node: the one of the configuration; on its PATH; the one beside the etcd that runs, in its container for example; else the
 * worker's own, which is brought along.
 * @throws SalvorError `ToolMissing` when none fits, with what was looked at
 */
export async function etcdutlOn(node: ClusterNode, host: Host, signal: AbortSignal): Promise<NodeTool> {
  const { etcdutl } = node.etcd;
  if (etcdutl !== undefined) {
    const version = await versionOf(host, etcdutl, signal);
    if (version !== undefined && isNewEnough(version)) return { path: etcdutl, version, source: 'configuration' };
    throw missing(node, [`etcd.etcdutl of the configuration, ${etcdutl}: ${version ?? 'it does not run'}`]);
  }
  if (node.connection === 'local') {
    const path = await locateEtcdutl(host);
    return { path, version: (await versionOf(host, path, signal)) ?? 'unknown', source: 'worker' };
  }
  const etcd = await runningEtcd(node, host, signal);
  if (etcd?.version !== undefined && !isNewEnough(etcd.version)) {
    throw missing(node, [`etcd ${etcd.version} runs there, which has none of its own`]);
  }
  const fits = (version: string | undefined): version is string =>
    version !== undefined &&
    isNewEnough(version) &&
    (etcd?.version === undefined || isSameMinor(version, etcd.version));
  const seen: string[] = etcd?.version === undefined ? [] : [`etcd ${etcd.version} runs there`];

  const onPath = await versionOf(host, 'etcdutl', signal);
  if (fits(onPath)) return { path: 'etcdutl', version: onPath, source: "the node's PATH" };
  seen.push(`PATH: ${onPath ?? 'none'}`);

  if (etcd !== undefined) {
    const version = await versionOf(host, etcd.etcdutl, signal);
    // A copy: the container, and the tool with it, goes before the restore ends.
    if (fits(version)) return await copiedOnNode(host, etcd.etcdutl, version, signal);
    seen.push(`beside the running etcd: ${version ?? 'none'}`);
  }

  const own = await provideTool('etcdutl', { signal });
  seen.push(`the worker's own: ${own.version}`);
  const { stdout: machine } = await host.run(['uname', '-sm'], { signal });
  if (machine.trim() !== `Linux ${MACHINES[process.arch]}` || process.platform !== 'linux') {
    seen.push(`which does not run on ${machine.trim()}`);
  } else if (fits(own.version)) {
    return await brought(host, own.path, own.version, signal);
  }
  throw missing(node, seen);
}

function missing(node: ClusterNode, seen: string[]): SalvorError {
  return new SalvorError(
    'ToolMissing',
    `${node.name}: no etcdutl that fits, ${OLDEST.join('.')} or later and of the release of its etcd (${seen.join('; ')}); install it on the node and name it with etcd.etcdutl`,
  );
}

/** Undefined when it isn't there or doesn't run. */
async function versionOf(host: Host, path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { stdout } = await host.run([path, 'version'], { signal });
    return /^etcdutl version: (\d+\.\d+\.\d+)/m.exec(stdout)?.[1];
  } catch (error) {
    if (error instanceof SalvorError && (error.type === 'ToolMissing' || error.type === 'CommandFailed')) {
      return undefined;
    }
    throw error;
  }
}

/** Prints the process of the etcd with a data directory, the version it says, and the folder that its program lies in. */
const FIND_ETCD = `
for pid in $(pgrep -x etcd); do
  if tr '\\0' '\\n' <"/proc/$pid/cmdline" | grep -qxF -e "--data-dir=$1" -e "$1"; then
    program=$(readlink "/proc/$pid/exe")
    echo "$pid $("/proc/$pid/exe" --version 2>/dev/null | sed -n 's/^etcd Version: //p') \${program%/*}"
    exit
  fi
done`;

async function runningEtcd(node: ClusterNode, host: Host, signal: AbortSignal) {
  const { stdout } = await host.run(['sh', '-c', FIND_ETCD, 'salvor', node.etcd.dataDir], { signal });
  const match = /^(\d+) (\d+\.\d+\.\d+)?\S* (\/.*)\n$/.exec(stdout);
  if (!match) return undefined;
  const [, pid, version, folder = ''] = match;
  return { version, etcdutl: `/proc/${pid}/root${join(folder, 'etcdutl')}` };
}

async function copiedOnNode(host: Host, from: string, version: string, signal: AbortSignal): Promise<NodeTool> {
  const path = join(await toolFolder(host, signal), `etcdutl-${version}`);
  if ((await sha256On(host, path, signal)) !== (await sha256On(host, from, signal))) {
    await host.write(path, await host.read(from, signal), { mode: 0o755, signal });
  }
  return { path, version, source: 'a copy of the one beside its etcd' };
}

async function brought(host: Host, from: string, version: string, signal: AbortSignal): Promise<NodeTool> {
  const path = join(await toolFolder(host, signal), `etcdutl-${version}`);
  if ((await sha256On(host, path, signal)) !== (await sha256OfFile(from))) {
    await host.write(path, createReadStream(from), { mode: 0o755, signal });
  }
  if ((await versionOf(host, path, signal)) === version)
    return { path, version, source: "the worker's, brought along" };
  throw new SalvorError(
    'ToolMissing',
    `${host.name}: etcdutl was brought along as ${path}, but doesn't run there (is ${TOOLS} mounted noexec?); install it on the node and name it with etcd.etcdutl`,
  );
}

/** Anyone may write in /var/tmp: what lies there is run only from a folder that nobody else could have made or filled. */
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

function isNewEnough(version: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of OLDEST.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

function isSameMinor(version: string, other: string): boolean {
  return version.split('.').slice(0, 2).join('.') === other.split('.').slice(0, 2).join('.');
}
