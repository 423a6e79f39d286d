/** The parts of a playground: what each runs, where it answers, and which parts must answer before it is started. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stat } from 'node:fs/promises';
import { SEARCH_ATTRIBUTES, TASK_QUEUE } from '../domain/operations/common.ts';
import type { ToolName } from '../adapters/binaries/binaries.ts';
import { answersHttp, answersHttps, isPolled } from './probes.ts';
import { LOOPBACK, type Paths, type State, type StateNode } from './state.ts';

export interface Part {
  /** `etcd-m1`, `kube-apiserver-m1`, `temporal`, `s3`, `worker`. */
  name: string;
  /** Its service script. */
  service: string;
  /** Its program and arguments. */
  tool: ToolName | 'node';
  args: string[];
  env?: Record<string, string>;
  envFiles?: Record<string, string>;
  /** For people. */
  address: string;
  /** The addresses it listens on, which must be free before it starts. */
  listens: { address: string; port: number }[];
  /** Names of the parts that must answer before it is started. */
  after: string[];
  graceSeconds: number;
  answers(): Promise<boolean>;
}

/** The URL of Temporal's user interface. */
export function temporalUiUrl(state: State): string {
  return `http://${LOOPBACK}:${state.temporal.uiPort}`;
}

/** The variables through which Temporal's clients reach the playground's server, whatever profile the user has. */
export function temporalEnvironment(state: State, paths: Paths): Record<string, string> {
  return {
    TEMPORAL_CONFIG_FILE: paths.temporalProfile,
    TEMPORAL_ADDRESS: `${LOOPBACK}:${state.temporal.port}`,
    TEMPORAL_NAMESPACE: 'default',
  };
}

/** Every part that a playground can have. */
export function partsOf(state: State, paths: Paths): Part[] {
  return [
    ...state.nodes.flatMap((node) => [etcd(node, state, paths), kubeApiServer(node, state, paths)]),
    temporal(state, paths),
    s3(state, paths),
    worker(state, paths),
  ];
}

export function clientUrl(node: StateNode): string {
  return `https://${node.address}:${node.clientPort}`;
}

export function peerUrl(node: StateNode): string {
  return `https://${node.address}:${node.peerPort}`;
}

export function apiServerUrl(node: StateNode): string {
  return `https://${node.address}:${node.apiServerPort}`;
}

/** The part that is a node's etcd member. */
export function etcdPart(node: StateNode): string {
  return `etcd-${node.name}`;
}

/** The part that is a node's kube-apiserver. */
export function apiServerPart(node: StateNode): string {
  return `kube-apiserver-${node.name}`;
}

function etcd(node: StateNode, state: State, paths: Paths): Part {
  const name = etcdPart(node);
  const [ca, cert, key] = [paths.certificate('ca'), paths.certificate(name), paths.key(name)];
  const client = { ca, cert: paths.certificate('etcd-client'), key: paths.key('etcd-client') };
  return {
    name,
    service: paths.etcdService(node.name),
    tool: 'etcd',
    args: [
      `--name=${node.name}`,
      `--data-dir=${paths.dataDir(node.name)}`,
      `--listen-client-urls=${clientUrl(node)}`,
      `--advertise-client-urls=${clientUrl(node)}`,
      `--listen-peer-urls=${peerUrl(node)}`,
      `--initial-advertise-peer-urls=${peerUrl(node)}`,
      // With an existing data directory etcd ignores these three.
      `--initial-cluster=${state.nodes.map((other) => `${other.name}=${peerUrl(other)}`).join(',')}`,
      '--initial-cluster-state=new',
      '--initial-cluster-token=salvor-playground',
      '--client-cert-auth',
      `--trusted-ca-file=${ca}`,
      `--cert-file=${cert}`,
      `--key-file=${key}`,
      '--peer-client-cert-auth',
      `--peer-trusted-ca-file=${ca}`,
      `--peer-cert-file=${cert}`,
      `--peer-key-file=${key}`,
      `--quota-backend-bytes=${8 * 1024 ** 3}`,
      '--log-level=warn',
    ],
    address: clientUrl(node),
    listens: [node.clientPort, node.peerPort].map((port) => ({ address: node.address, port })),
    after: [],
    graceSeconds: 20,
    // Healthy means that the member has a leader and has read through it.
    answers: () => answersHttps(`${clientUrl(node)}/health`, client),
  };
}

function kubeApiServer(node: StateNode, state: State, paths: Paths): Part {
  const [first = node] = state.nodes;
  return {
    name: apiServerPart(node),
    service: paths.apiServerService(node.name),
    tool: 'kube-apiserver',
    args: [
      `--etcd-servers=${clientUrl(node)}`,
      `--etcd-cafile=${paths.certificate('ca')}`,
      `--etcd-certfile=${paths.certificate('etcd-client')}`,
      `--etcd-keyfile=${paths.key('etcd-client')}`,
      `--bind-address=${node.address}`,
      `--secure-port=${node.apiServerPort}`,
      // Endpoints can't be loopback addresses. These are reserved for documentation (RFC 5737): nothing connects to
      // them.
      `--advertise-address=192.0.2.${state.nodes.indexOf(node) + 1}`,
      `--tls-cert-file=${paths.certificate('kube-apiserver')}`,
      `--tls-private-key-file=${paths.key('kube-apiserver')}`,
      `--client-ca-file=${paths.certificate('ca')}`,
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${paths.serviceAccountPublicKey}`,
      `--service-account-signing-key-file=${paths.key('service-account')}`,
      // No controller runs that would make the default service accounts, and pods couldn't be created without them.
      '--disable-admission-plugins=ServiceAccount',
      // On a request to stop it also ends the watches; without this flag it waits for them for up to a minute.
      '--shutdown-watch-termination-grace-period=1s',
      '--profiling=false',
    ],
    address: apiServerUrl(node),
    listens: [{ address: node.address, port: node.apiServerPort }],
    // Several kube-apiservers that start on an empty etcd make the same objects; a late one may fail to start because
    // of this ("ipaddresses … already exists").
    after: [etcdPart(node), ...(node === first ? [] : [apiServerPart(first)])],
    // It keeps no state of its own, and without its etcd a graceful stop would take a minute.
    graceSeconds: 5,
    answers: () => answersHttps(`${apiServerUrl(node)}/readyz`, { ca: paths.certificate('ca') }),
  };
}

function temporal(state: State, paths: Paths): Part {
  const { port, uiPort } = state.temporal;
  return {
    name: 'temporal',
    service: join(paths.services, 'temporal'),
    tool: 'temporal',
    args: [
      'server',
      'start-dev',
      `--db-filename=${join(paths.temporal, 'temporal.db')}`,
      `--ip=${LOOPBACK}`,
      `--port=${port}`,
      `--ui-port=${uiPort}`,
      ...Object.values(SEARCH_ATTRIBUTES).map((attribute) => `--search-attribute=${attribute}=Keyword`),
      '--log-level=warn',
    ],
    address: `${LOOPBACK}:${port}`,
    listens: [port, uiPort].map((each) => ({ address: LOOPBACK, port: each })),
    after: [],
    graceSeconds: 10,
    answers: () => answersHttp(`${temporalUiUrl(state)}/api/v1/namespaces/default`),
  };
}

function s3(state: State, paths: Paths): Part {
  const { port } = state.s3;
  return {
    name: 's3',
    service: join(paths.services, 's3'),
    tool: 'versitygw',
    args: [
      `--port=${LOOPBACK}:${port}`,
      '--health=/health',
      '--quiet',
      'posix',
      // Kept next to the objects, since not every file system has extended attributes.
      `--sidecar=${paths.s3Metadata}`,
      paths.s3Objects,
    ],
    envFiles: { ROOT_ACCESS_KEY_ID: paths.accessKeyId, ROOT_SECRET_ACCESS_KEY: paths.secretAccessKey },
    address: `http://${LOOPBACK}:${port}`,
    listens: [{ address: LOOPBACK, port }],
    after: [],
    graceSeconds: 10,
    answers: () => answersHttp(`http://${LOOPBACK}:${port}/health`),
  };
}

function worker(state: State, paths: Paths): Part {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return {
    name: 'worker',
    service: join(paths.services, 'worker'),
    tool: 'node',
    args: [fileURLToPath(new URL(`../workers/main.${extension}`, import.meta.url))],
    env: {
      SALVOR_CONFIG: paths.configuration,
      SALVOR_TASK_QUEUE: TASK_QUEUE,
      SALVOR_STATE: paths.workerState,
      ...temporalEnvironment(state, paths),
    },
    address: `task queue ${TASK_QUEUE}`,
    listens: [],
    after: ['temporal'],
    graceSeconds: 15,
    answers: async () => {
      const started = await stat(paths.record('worker')).catch(() => undefined);
      return started !== undefined && isPolled(temporalUiUrl(state), TASK_QUEUE, started.mtimeMs);
    },
  };
}
