/**
 * What a playground is: fixed when it is first brought up, and kept in `playground.json`. The processes are recorded in
 * `run/`.
 */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, SalvorError } from '../domain/errors.ts';
import { cacheDirectory } from '../adapters/environment.ts';
import { portChooser } from './ports.ts';

const port = z.number().int().min(1).max(65_535);

const stateSchema = z.strictObject({
  formatVersion: z.literal(1),
  kubernetes: z.boolean(),
  /** Whether its control plane is the lab, which has its own files and records. */
  lab: z.boolean().default(false),
  temporal: z.strictObject({ port, uiPort: port }),
  s3: z.strictObject({ port }),
  nodes: z.array(
    z.strictObject({ name: z.string(), address: z.string(), clientPort: port, peerPort: port, apiServerPort: port }),
  ),
});
export type State = z.infer<typeof stateSchema>;
export type StateNode = State['nodes'][number];

/** The name of the playground's cluster. */
export const CLUSTER = 'playground';
export const LOOPBACK = '127.0.0.1';
export const BUCKET = 'k8s-cluster';

/** The default directory of a playground. */
export function defaultDirectory(): string {
  return join(cacheDirectory(), 'playground');
}

/** The paths in a playground. */
export function pathsOf(directory: string) {
  const below = (...names: string[]): string => join(directory, ...names);
  return {
    directory,
    state: below('playground.json'),
    configuration: below('salvor.yaml'),
    workerState: below('worker-state'),
    kubeconfig: below('kubeconfig'),
    certificates: below('certificates'),
    certificate: (name: string): string => below('certificates', `${name}.crt`),
    key: (name: string): string => below('certificates', `${name}.key`),
    serviceAccountPublicKey: below('certificates', 'service-account.pub'),
    secrets: below('secrets'),
    accessKeyId: below('secrets', 's3-access-key-id'),
    secretAccessKey: below('secrets', 's3-secret-access-key'),
    run: below('run'),
    record: (part: string): string => below('run', part),
    logs: below('logs'),
    log: (part: string): string => below('logs', `${part}.log`),
    services: below('services'),
    node: (name: string): string => below('nodes', name),
    etcdService: (name: string): string => below('nodes', name, 'etcd-service'),
    apiServerService: (name: string): string => below('nodes', name, 'kube-apiserver-service'),
    nodeKubeconfig: (name: string): string => below('nodes', name, 'kubeconfig'),
    dataDir: (name: string): string => below('nodes', name, 'etcd'),
    temporal: below('temporal'),
    temporalProfile: below('temporal', 'temporal.toml'),
    localStore: below('stores', 'local'),
    s3Objects: below('stores', 'offsite'),
    s3Metadata: below('stores', 's3-metadata'),
  };
}
export type Paths = ReturnType<typeof pathsOf>;

/**
 * The state of a playground, or undefined when the directory has none.
 * @throws SalvorError `UnsafeState` when the directory holds something else, or a state that can't be read
 */
export async function readState(directory: string): Promise<State | undefined> {
  const { state } = pathsOf(directory);
  const text = await readFile(state, 'utf8').catch(() => undefined);
  if (text === undefined) {
    const entries = await readdir(directory).catch(() => []);
    if (entries.every((entry) => entry === 'playground.json.new')) return undefined;
    throw new SalvorError(
      'UnsafeState',
      `${directory} is not a playground: it has other files, but no playground.json; use another directory`,
    );
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new SalvorError(
      'UnsafeState',
      `${state} is not the state of a playground (${messageOf(error)}); end its processes by hand and remove the directory`,
      { cause: error },
    );
  }
}

/** Writes the state, whole or not at all. */
export async function writeState(directory: string, state: State): Promise<void> {
  const file = pathsOf(directory).state;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/**
 * A new state with free ports; the default playground takes the usual ones if they are free. It includes no nodes of
 * the lab.
 */
export async function newState(directory: string, kubernetes: boolean, lab = false): Promise<State> {
  const choose = portChooser(resolve(directory) === resolve(defaultDirectory()));
  const nodes: StateNode[] = [];
  for (const index of lab ? [] : [1, 2, 3]) {
    // On Linux all of 127.0.0.0/8 is loopback, so each node has its own address there.
    const address = process.platform === 'linux' ? `127.0.0.1${index}` : LOOPBACK;
    nodes.push({
      name: `m${index}`,
      address,
      clientPort: await choose(address, 2379),
      peerPort: await choose(address, 2380),
      apiServerPort: await choose(address, 6443),
    });
  }
  return {
    formatVersion: 1,
    kubernetes,
    lab,
    temporal: { port: await choose(LOOPBACK, 7233), uiPort: await choose(LOOPBACK, 8233) },
    s3: { port: await choose(LOOPBACK, 7070) },
    nodes,
  };
}
