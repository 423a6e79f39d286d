/** The golden copy: the files of nodes whose cluster was just made, from which a fresh cluster is had in seconds. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { attempt, run } from './commands.ts';
import { createCluster, importImages } from './cluster.ts';
import { type LabPaths, nodeNumbers } from './layout.ts';
import { bootNode, BOOT_SCRIPT, cutPower, shutDown } from './machine.ts';
import { connectNodes } from './network.ts';
import { createNodeFiles, NODE_FOLDER, writeHosts } from './node-files.ts';
import { fingerprintOf } from './parts.ts';

/** kubeadm's certificates are good for a year. */
const KEPT_MS = 300 * 24 * 3_600_000;

/**
 * Makes the nodes' files those of a fresh cluster; all nodes must be down. What is not there yet is made first, which boots them for a while.
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
    report('booting new nodes');
    await Promise.all(numbers.map((number) => bootNode(paths, number)));
    report('importing the images');
    await importImages(paths, numbers);
    await createCluster(paths, numbers, report);
    await Promise.all(numbers.map((number) => shutDown(paths, number)));
  } finally {
    await Promise.all(numbers.map((number) => cutPower(paths, number)));
  }
  // From now on each node is its own way into the cluster: one that is lost takes no other's kubectl and kubelet with it.
  for (const number of numbers) await writeHosts(paths, number, number);
}

async function copyNodes(from: string, to: string, nodes: 1 | 3): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const number of nodeNumbers(nodes)) {
    const [source, target] = [join(from, `n${number}`), join(to, `n${number}`)];
    await run(['cp', '--archive', source, target], { timeoutMs: 300_000 });
  }
}

async function isGood(golden: string, fingerprint: string): Promise<boolean> {
  const [its, madeAt] = (await readFile(join(golden, 'made'), 'utf8').catch(() => '')).trim().split(' ');
  return its === fingerprint && Date.now() - Number(madeAt) < KEPT_MS;
}

/** Of everything that a fresh cluster depends on; nodes see this machine's programs, so their versions belong to it. */
async function goldenFingerprint(parts: string): Promise<string> {
  const sources = ['node-files.ts', 'kubeadm.ts', 'cluster.ts'].map((name) => join(import.meta.dirname, name));
  const { stdout: packages } = await attempt(['dpkg-query', '-W', 'containerd', 'runc', 'systemd', 'openssh-server']);
  const files = await fingerprintOf([NODE_FOLDER, BOOT_SCRIPT, ...sources]);
  return createHash('sha256').update(`${parts} ${files} ${packages}`).digest('hex');
}
