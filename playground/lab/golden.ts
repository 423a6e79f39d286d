/** The golden copy: the files of nodes whose cluster was just made. A fresh cluster is copied from it in seconds. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createHash } from 'node:crypto';
import { attempt, run } from './commands.ts';
import { copyCredentials, createCluster, waitUntilWell } from './cluster.ts';
import { type LabPaths, nodeNumbers, type NodeNumber } from './layout.ts';
import { bootNode, BOOT_SCRIPT, cutPower, onNode, shutDown } from './machine.ts';
import { connectNodes } from './network.ts';
import { createNodeFiles, NODE_FOLDER, writeHosts } from './node-files.ts';
import { fingerprintOf } from './parts.ts';

/** kubeadm's certificates are valid for a year. */
const KEPT_MS = 300 * 24 * 3_600_000;
const IMPORT_MS = 300_000;
const COPY_MS = 300_000;
/**
 * The folders of containerd whose files are written once and never changed: images as they came, and unpacked. Copies
 * share these files.
 */
const IMMUTABLE = ['io.containerd.content.v1.content', 'io.containerd.snapshotter.v1.overlayfs/snapshots'] as const;

/**
 * Replaces the nodes' files by those of a fresh cluster; all nodes must be down. A missing golden copy is made first,
 * which boots the nodes for a while.
 * @param parts the fingerprint of the binaries and images
 */
export async function freshNodes(
  paths: LabPaths,
  nodes: 1 | 3,
  parts: string,
  report: (line: string) => void,
): Promise<void> {
  const golden = join(paths.golden, String(nodes));
  const fingerprint = await goldenFingerprint(parts);
  if (!(await isGood(golden, fingerprint))) {
    await rm(golden, { recursive: true, force: true });
    await makeCluster(paths, nodes, report);
    report('keeping a copy of the fresh cluster');
    await mkdir(golden, { recursive: true, mode: 0o700 });
    await copyNodes(paths.nodes, join(golden, 'nodes'), nodes);
    await writeFile(join(golden, 'made'), `${fingerprint} ${Date.now()}\n`);
    return;
  }
  report('copying a fresh cluster');
  await rm(paths.nodes, { recursive: true, force: true });
  const staging = `${paths.nodes}.new`;
  await rm(staging, { recursive: true, force: true });
  await copyNodes(join(golden, 'nodes'), staging, nodes);
  await rename(staging, paths.nodes);
}

async function makeCluster(paths: LabPaths, nodes: 1 | 3, report: (line: string) => void): Promise<void> {
  const numbers = nodeNumbers(nodes);
  await rm(paths.nodes, { recursive: true, force: true });
  await connectNodes(paths, numbers);
  try {
    for (const number of numbers) await createNodeFiles(paths, number);
    report('importing the images');
    await bootNode(paths, 1);
    await onNode(paths, 1, ['/opt/lab/import-images'], { timeoutMs: IMPORT_MS });
    await shutDown(paths, 1);
    const containerd = (number: NodeNumber): string => join(paths.node(number).directory, 'containerd');
    for (const number of numbers.slice(1)) await copyContainerd(containerd(1), containerd(number));
    report('booting new nodes');
    await Promise.all(numbers.map((number) => bootNode(paths, number)));
    await createCluster(paths, numbers, report);
    await copyCredentials(paths);
    report('waiting for Kubernetes');
    await waitUntilWell(paths, numbers, new Date(0));
    await Promise.all(numbers.map((number) => shutDown(paths, number)));
  } finally {
    await Promise.all(numbers.map((number) => cutPower(paths, number)));
  }
  // From now on each node uses its own kube-apiserver: losing one node doesn't cut off the others' kubectl and kubelet.
  for (const number of numbers) await writeHosts(paths, number, number);
}

/** Makes a new machine that has the images and is in no cluster; an earlier one is deleted. It is up afterwards. */
export async function makeNewNode(paths: LabPaths, number: NodeNumber): Promise<void> {
  await cutPower(paths, number);
  await rm(paths.node(number).directory, { recursive: true, force: true });
  await createNodeFiles(paths, number);
  await connectNodes(paths, [number]);
  await bootNode(paths, number);
  await onNode(paths, number, ['/opt/lab/import-images'], { timeoutMs: IMPORT_MS });
}

async function copyNodes(from: string, to: string, nodes: 1 | 3): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const number of nodeNumbers(nodes)) {
    const [source, target] = [join(from, `n${number}`), join(to, `n${number}`)];
    await copyContainerd(join(source, 'containerd'), join(target, 'containerd'));
    await run(['cp', '--archive', '--no-clobber', `${source}/.`, target], { timeoutMs: COPY_MS });
  }
}

async function copyContainerd(source: string, target: string): Promise<void> {
  for (const folder of IMMUTABLE) {
    await mkdir(join(target, dirname(folder)), { recursive: true });
    await run(['cp', '--archive', '--link', join(source, folder), join(target, folder)]);
  }
  await run(['cp', '--archive', '--no-clobber', `${source}/.`, target], { timeoutMs: COPY_MS });
}

async function isGood(golden: string, fingerprint: string): Promise<boolean> {
  const [its, madeAt] = (await readFile(join(golden, 'made'), 'utf8').catch(() => '')).trim().split(' ');
  return its === fingerprint && Date.now() - Number(madeAt) < KEPT_MS;
}

/**
 * The fingerprint of everything that a fresh cluster depends on; nodes see this machine's programs, so their versions
 * are part of it.
 */
async function goldenFingerprint(parts: string): Promise<string> {
  const sources = ['node-files.ts', 'kubeadm.ts', 'cluster.ts'].map((name) => join(import.meta.dirname, name));
  const { stdout: packages } = await attempt(['dpkg-query', '-W', 'containerd', 'runc', 'systemd', 'openssh-server']);
  const files = await fingerprintOf([NODE_FOLDER, BOOT_SCRIPT, ...sources]);
  return createHash('sha256').update(`${parts} ${files} ${packages}`).digest('hex');
}
