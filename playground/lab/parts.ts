/** What nodes are made of: the binaries in /opt/lab/bin and the images of their containers. */
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { provideTool, type ToolName } from '../../adapters/binaries/binaries.ts';
import { sha256OfFile } from '../../adapters/binaries/checksums.ts';
import { releaseOf } from '../../adapters/binaries/pins.ts';
import { run } from './commands.ts';
import { buildImage, type Image } from './images.ts';
import type { LabPaths } from './layout.ts';

export const KUBERNETES_VERSION = releaseOf('kubelet').release.version;
export const ETCD_TAG = `${releaseOf('etcd').release.version}-0`;
/** The version that kubeadm 1.34 asks for; `node/etc/containerd/config.toml` names it too. */
const PAUSE_TAG = '3.10.1';

const SERVERS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const satisfies ToolName[];
const ON_NODES = ['kubelet', 'kubeadm', 'kubectl', 'etcdctl', 'etcdutl'] as const satisfies ToolName[];
const GO_MODULE = join(import.meta.dirname, '../../tools/go/lab');
/** Go programs of {@link GO_MODULE}. */
const OWN = ['crictl', 'pause'] as const;

/**
 * Builds the missing parts; does nothing if all exist in these versions.
 * @returns the fingerprint of what was built
 * @throws SalvorError `ToolMissing` when a binary can't be provided
 */
export async function provideParts(paths: LabPaths, report: (line: string) => void): Promise<string> {
  const folder = join(paths.directory, 'parts');
  const record = join(folder, 'fingerprint');
  const tools = new Map<ToolName, string>();
  const hash = createHash('sha256');
  for (const name of [...ON_NODES, ...SERVERS, 'etcd'] as const) {
    const tool = await provideTool(name, { onProgress: report });
    tools.set(name, tool.path);
    const { size, mtimeMs } = await stat(tool.path);
    hash.update(`${name} ${tool.version} ${size} ${mtimeMs}\n`);
  }
  hash.update(await fingerprintOf([GO_MODULE, join(import.meta.dirname, 'images.ts'), import.meta.filename]));
  const fingerprint = hash.digest('hex');
  if ((await readFile(record, 'utf8').catch(() => '')) === fingerprint) return fingerprint;

  report('building the images and the programs of the nodes');
  const staging = `${folder}.new`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(join(staging, 'bin'), { recursive: true });
  await mkdir(join(staging, 'images'));
  for (const program of OWN) {
    const argv = [
      'go',
      '-C',
      GO_MODULE,
      'build',
      '-mod=readonly',
      '-p',
      '2',
      '-trimpath',
      '-ldflags',
      '-s -w',
    ] as const;
    await run(['nice', 'env', 'CGO_ENABLED=0', ...argv, '-o', join(staging, 'bin', program), `./${program}`], {
      timeoutMs: 600_000,
    });
  }
  for (const name of ON_NODES) {
    await copyFile(pathOf(tools, name), join(staging, 'bin', name));
    await chmod(join(staging, 'bin', name), 0o755);
  }
  for (const image of imagesOf(tools, join(staging, 'bin/pause'))) await buildImage(image, join(staging, 'images'));
  await writeFile(join(staging, 'fingerprint'), fingerprint);
  await rm(folder, { recursive: true, force: true });
  await rename(staging, folder);
  return fingerprint;
}

function imagesOf(tools: ReadonlyMap<ToolName, string>, pause: string): Image[] {
  return [
    { name: 'pause', tag: PAUSE_TAG, files: [pause], entrypoint: '/usr/local/bin/pause' },
    {
      name: 'etcd',
      tag: ETCD_TAG,
      files: (['etcd', 'etcdctl', 'etcdutl'] as const).map((name) => pathOf(tools, name)),
    },
    ...SERVERS.map((name) => ({ name, tag: `v${KUBERNETES_VERSION}`, files: [pathOf(tools, name)] })),
  ];
}

function pathOf(tools: ReadonlyMap<ToolName, string>, name: ToolName): string {
  const path = tools.get(name);
  if (path === undefined) throw new TypeError(`${name} was not provided`);
  return path;
}

/** One hash over the names and contents of files, including all files in folders. */
export async function fingerprintOf(sources: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    const entries = await readdir(source, { recursive: true, withFileTypes: true }).catch(() => undefined);
    const files = entries?.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of (files ?? [source]).toSorted()) hash.update(`${file} ${await sha256OfFile(file)}\n`);
  }
  return hash.digest('hex');
}
