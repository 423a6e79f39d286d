/** A running playground, for the demo, tests and benches. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SalvorError } from '../domain/errors.ts';
import { provideTool } from '../adapters/binaries/binaries.ts';
import type { S3Access } from './bucket.ts';
import type { Lab } from './lab/lab.ts';
import { apiServerUrl, clientUrl, type Part, partsOf, temporalEnvironment, temporalUiUrl } from './parts.ts';
import { runningPid, signalProcess } from './processes.ts';
import { runService, startPart } from './start.ts';
import { BUCKET, defaultDirectory, LOOPBACK, type Paths, pathsOf, readState } from './state.ts';

export interface PartStatus {
  /** `etcd-m1`, `kube-apiserver-m1`, `temporal`, `s3`, `worker`. */
  name: string;
  running: boolean;
  pid?: number;
  /** The address at which it answers. */
  address: string;
  /** Its log file. */
  log: string;
  /** The file with its pid while it runs. */
  record: string;
  /** Its service script. */
  service: string;
}

export interface PlaygroundNode {
  name: string;
  address: string;
  clientUrl: string;
  dataDir: string;
  etcdService: string;
  /** Absent without Kubernetes. */
  apiServerUrl?: string;
  apiServerService?: string;
  kubeconfig?: string;
}

export interface Playground {
  directory: string;
  /** The `salvor.yaml` of the cluster `playground`. */
  configFile: string;
  temporalAddress: string;
  temporalUiUrl: string;
  /** The variables through which Temporal's clients, and `salvor`, reach it. */
  temporalEnvironment: Record<string, string>;
  s3: S3Access;
  /** The directory of the store `local`. */
  localStore: string;
  nodes: PlaygroundNode[];
  /** Client certificates for etcd. */
  etcdTls: { ca: string; cert: string; key: string };
  kubernetes: boolean;
  /**
   * The lab, if it is the control plane; then `nodes` is empty and `etcdTls` names no files. Only `playgroundUp` sets
   * it.
   */
  lab?: Lab;
  /** Has a context for each node; absent without Kubernetes. */
  kubeconfig?: string;
  /** The current state of one part. */
  part(name: string): Promise<PartStatus>;
}

/**
 * The playground of a directory, whichever of its parts run. Throws SalvorError `InvalidInput` when the directory has
 * none.
 */
export async function openPlayground(directory: string = defaultDirectory()): Promise<Playground> {
  const paths = pathsOf(resolve(directory));
  const state = await readState(paths.directory);
  if (!state) {
    throw new SalvorError('InvalidInput', `there is no playground in ${paths.directory}; run: salvor playground up`);
  }
  const { kubernetes } = state;
  const parts = partsOf(state, paths);
  const [accessKeyId, secretAccessKey] = await Promise.all([
    readSecret(paths.accessKeyId),
    readSecret(paths.secretAccessKey),
  ]);
  return {
    directory: paths.directory,
    configFile: paths.configuration,
    temporalAddress: `${LOOPBACK}:${state.temporal.port}`,
    temporalUiUrl: temporalUiUrl(state),
    temporalEnvironment: temporalEnvironment(state, paths),
    s3: { endpoint: `http://${LOOPBACK}:${state.s3.port}`, bucket: BUCKET, accessKeyId, secretAccessKey },
    localStore: paths.localStore,
    nodes: state.nodes.map((node) => ({
      name: node.name,
      address: node.address,
      clientUrl: clientUrl(node),
      dataDir: paths.dataDir(node.name),
      etcdService: paths.etcdService(node.name),
      ...(kubernetes && {
        apiServerUrl: apiServerUrl(node),
        apiServerService: paths.apiServerService(node.name),
        kubeconfig: paths.nodeKubeconfig(node.name),
      }),
    })),
    etcdTls: { ca: paths.certificate('ca'), cert: paths.certificate('etcd-client'), key: paths.key('etcd-client') },
    kubernetes,
    ...(kubernetes && !state.lab && { kubeconfig: paths.kubeconfig }),
    part: async (name) => partStatus(partNamed(parts, name), paths),
  };
}

/** The current state of a part. */
export async function partStatus(part: Part, paths: Paths): Promise<PartStatus> {
  const { name, address, service } = part;
  const record = paths.record(name);
  const pid = await runningPid(record);
  const log = paths.log(name);
  return { name, running: pid !== undefined, ...(pid !== undefined && { pid }), address, log, record, service };
}

/** Sends a signal to a part's process, and after SIGKILL waits until it is gone; a part that doesn't run is fine. */
export async function killPart(playground: Playground, name: string, signal: NodeJS.Signals): Promise<void> {
  const { pid } = await playground.part(name);
  if (pid === undefined) return;
  signalProcess(pid, signal);
  if (signal !== 'SIGKILL') return;
  while ((await playground.part(name)).pid === pid) await delay(5);
}

/** Starts a part unless it runs, and waits until it answers. */
export async function bringUpPart(
  playground: Playground,
  name: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const { part, paths } = await partOf(playground, name);
  await startPart(part, paths, { onProgress: () => {}, signal });
}

/** Stops a part and waits until it is gone. */
export async function stopPart(
  playground: Playground,
  name: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const { part } = await partOf(playground, name);
  await runService(part, 'stop', signal);
}

/** Sends the worker a signal, by default `SIGKILL`. */
export async function killWorker(playground: Playground, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  await killPart(playground, 'worker', signal);
}

/** Ends the worker, if it runs, and starts a new one. */
export async function restartWorker(playground: Playground, signal?: AbortSignal): Promise<void> {
  await stopPart(playground, 'worker', signal);
  await bringUpPart(playground, 'worker', signal);
}

/** Runs etcdctl against one node's member and returns its standard output. */
export async function etcdctl(playground: Playground, nodeName: string, args: readonly string[]): Promise<string> {
  const node = playground.nodes.find(({ name }) => name === nodeName);
  if (!node) throw new SalvorError('InvalidInput', `the playground has no node "${nodeName}"`);
  const { ca, cert, key } = playground.etcdTls;
  const connection = [`--endpoints=${node.clientUrl}`, `--cacert=${ca}`, `--cert=${cert}`, `--key=${key}`];
  const { path } = await provideTool('etcdctl');
  const { stdout } = await promisify(execFile)(path, [...connection, ...args], { maxBuffer: 64 * 1024 ** 2 });
  return stdout;
}

async function partOf(playground: Playground, name: string): Promise<{ part: Part; paths: Paths }> {
  const paths = pathsOf(playground.directory);
  const state = await readState(playground.directory);
  return { part: partNamed(state ? partsOf(state, paths) : [], name), paths };
}

function partNamed(parts: readonly Part[], name: string): Part {
  const part = parts.find((each) => each.name === name);
  if (part) return part;
  const known = parts.map((each) => each.name).join(', ');
  throw new SalvorError('InvalidInput', `the playground has no part "${name}"; expected one of ${known}`);
}

async function readSecret(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim();
}
