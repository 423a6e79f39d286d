/**
 * A small world of real parts on this machine: three etcd members, kube-apiservers, a Temporal server, an S3 server and
 * a worker. Everything is below one directory, and only processes that were started from it are ever ended.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SalvorError } from '../domain/errors.ts';
import { findTool } from '../adapters/binaries/binaries.ts';
import { createBucket } from './bucket.ts';
import { provideCertificates } from './certificates.ts';
import { configurationText, kubeconfigText } from './configuration.ts';
import { openPlayground, type PartStatus, partStatus, type Playground } from './handle.ts';
import { type Lab, labDown, labReset, labStatus, labUp } from './lab/lab.ts';
import { type Part, partsOf, temporalUiUrl } from './parts.ts';
import { endRecorded, endStrays } from './processes.ts';
import { startParts, writeServices } from './start.ts';
import {
  defaultDirectory,
  LOOPBACK,
  newState,
  type Paths,
  pathsOf,
  readState,
  type State,
  writeState,
} from './state.ts';

export interface PlaygroundOptions {
  /** Default: `playground` in Salvor's cache folder. */
  directory?: string;
  /** Whether each node has a kube-apiserver. Default: the previous choice, else whether this machine has the tool. */
  kubernetes?: boolean;
  /**
   * Whether the control plane is the lab's three kubeadm nodes instead of the playground's own services. Default: the
   * previous choice, else no.
   */
  lab?: boolean;
  /** Whether to start a worker, which needs Temporal. Default: true. */
  worker?: boolean;
  /** Whether to start a Temporal server. Default: true. */
  temporal?: boolean;
  onProgress?: (line: string) => void;
  signal?: AbortSignal;
}

/**
 * Brings up the missing parts and leaves the rest. If it is stopped halfway, {@link playgroundDown} cleans up.
 * @throws SalvorError `ToolMissing`; `UnsafeState` for a directory that isn't a playground; `ComponentStuck` when a
 * part doesn't answer
 */
export async function playgroundUp(options: PlaygroundOptions = {}): Promise<Playground> {
  const { onProgress = () => {}, signal = new AbortController().signal } = options;
  const directory = resolve(options.directory ?? defaultDirectory());
  const paths = pathsOf(directory);
  const { state, lab } = await provideState(directory, options);
  const all = partsOf(state, paths);
  const wanted = all.filter((part) => isWanted(part, state, options));
  await Promise.all([
    writeServices(wanted, paths, { onProgress, signal }),
    lab ? undefined : provideCertificates(paths, state),
    provideFiles(paths, state),
  ]);
  await writeFile(paths.configuration, configurationText(state, paths, lab), { mode: 0o600 });
  await stopApiServers(all, wanted, paths);
  await startParts(wanted, paths, { onProgress, signal });
  const playground = { ...(await openPlayground(directory)), ...(lab && { lab }) };
  await createBucket(playground.s3, signal);
  return playground;
}

/** The previous state, or a new one; and the running lab, if it is the control plane. */
async function provideState(
  directory: string,
  { kubernetes: asked, lab: askedLab, onProgress = () => {} }: PlaygroundOptions,
): Promise<{ state: State; lab?: Lab }> {
  const before = await readState(directory);
  const isLab = askedLab ?? before?.lab ?? false;
  if (before && before.lab !== isLab) {
    const is = before.lab ? "the lab's nodes" : 'services of its own';
    throw new SalvorError(
      'InvalidInput',
      `the playground in ${directory} has ${is} as its control plane; take it down first to change that: salvor playground down`,
    );
  }
  const kubernetes = isLab || (asked ?? before?.kubernetes ?? (await findTool('kube-apiserver')) !== undefined);
  if (!kubernetes && asked === undefined) {
    onProgress(
      'without Kubernetes: this machine has no kube-apiserver; to build one, which takes minutes: make demo KUBERNETES=1',
    );
  }
  const state = before ? { ...before, kubernetes } : await newState(directory, kubernetes, isLab);
  await writeState(directory, state);
  if (!isLab) return { state };
  // A new playground has a fresh cluster. The lab is brought up only now: `down` already knows it, even if this is
  // stopped halfway.
  return { state, lab: await (before ? labUp : labReset)({ nodes: 3, onProgress }) };
}

function isWanted(part: Part, state: State, { temporal = true, worker = temporal }: PlaygroundOptions): boolean {
  if (part.tool === 'kube-apiserver') return state.kubernetes;
  if (part.name === 'temporal') return temporal;
  return part.name !== 'worker' || worker;
}

/** Stops the kube-apiservers of a playground whose Kubernetes was turned off. */
async function stopApiServers(all: readonly Part[], wanted: readonly Part[], paths: Paths): Promise<void> {
  const unwanted = all.filter((part) => part.tool === 'kube-apiserver' && !wanted.includes(part));
  await Promise.all(unwanted.map((part) => endRecorded(paths.record(part.name), graceMs(part, false))));
}

/** Makes directories, secrets and kubeconfigs. */
async function provideFiles(paths: Paths, state: State): Promise<void> {
  const directories = [
    paths.run,
    paths.logs,
    paths.secrets,
    paths.temporal,
    paths.localStore,
    paths.s3Objects,
    paths.s3Metadata,
  ];
  for (const directory of [...directories, ...state.nodes.map((node) => paths.node(node.name))]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  await provideSecret(paths.accessKeyId, 10);
  await provideSecret(paths.secretAccessKey, 20);
  const profile = `[profile.default]\naddress = "${LOOPBACK}:${state.temporal.port}"\nnamespace = "default"\n`;
  await writeFile(paths.temporalProfile, profile, { mode: 0o600 });
  if (!state.kubernetes || state.lab) return;
  await writeFile(paths.kubeconfig, kubeconfigText(state.nodes, paths), { mode: 0o600 });
  for (const node of state.nodes) {
    await writeFile(paths.nodeKubeconfig(node.name), kubeconfigText([node], paths), { mode: 0o600 });
  }
}

async function provideSecret(file: string, bytes: number): Promise<void> {
  const existing = await stat(file).catch(() => undefined);
  if (existing && existing.size > 0) return;
  await writeFile(file, `${randomBytes(bytes).toString('hex')}\n`, { mode: 0o600 });
}

export interface PlaygroundStatus {
  directory: string;
  /** Empty when the directory has no playground. */
  parts: Pick<PartStatus, 'name' | 'running' | 'pid' | 'address' | 'log'>[];
  links: { name: string; url: string }[];
}

/** What runs, where it answers and where its log is. */
export async function playgroundStatus(directory: string = defaultDirectory()): Promise<PlaygroundStatus> {
  const paths = pathsOf(resolve(directory));
  const state = await readState(paths.directory);
  if (!state) return { directory: paths.directory, parts: [], links: [] };
  const parts = partsOf(state, paths).filter((part) => state.kubernetes || part.tool !== 'kube-apiserver');
  return {
    directory: paths.directory,
    parts: [
      ...(state.lab ? (await labStatus()).nodes.map(({ up, ...node }) => ({ ...node, running: up })) : []),
      ...(await Promise.all(parts.map((part) => partStatus(part, paths)))),
    ],
    links: [{ name: 'Temporal', url: temporalUiUrl(state) }],
  };
}

/**
 * Ends everything that was started from the directory, and removes the directory. A missing playground is fine.
 * @param options.wipe false keeps the files, and the next `up` continues with them
 */
export async function playgroundDown(
  directory: string = defaultDirectory(),
  { wipe = true }: { wipe?: boolean } = {},
): Promise<void> {
  const paths = pathsOf(resolve(directory));
  const state = await readState(paths.directory);
  if (state) {
    const parts = partsOf(state, paths);
    const end = async (chosen: Part[]): Promise<void> => {
      await Promise.all(chosen.map((part) => endRecorded(paths.record(part.name), graceMs(part, wipe))));
    };
    // The worker goes first: it might restart parts that were just stopped. A kube-apiserver ends faster while its etcd
    // runs.
    await end(parts.filter((part) => part.name === 'worker'));
    await end(parts.filter((part) => part.tool === 'kube-apiserver'));
    // Members that are stopped at the same time wait 7 s for one another to take over the lead; one after the other
    // they take 2 s in all.
    for (const member of parts.filter((part) => part.tool === 'etcd')) await end([member]);
    await end(parts);
    if (state.lab) await labDown();
  }
  await endStrays(paths.directory, 2_000);
  if (wipe) await rm(paths.directory, { recursive: true, force: true });
}

/** Files that will be removed anyway need no clean end, except for what the worker started elsewhere. */
function graceMs(part: Part, wipe: boolean): number {
  if (!wipe) return part.graceSeconds * 1_000;
  return part.name === 'worker' ? 3_000 : 0;
}
