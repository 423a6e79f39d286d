/**
 * The lab: one or three real control-plane nodes on this machine. Over SSH each looks like a machine of its own. See
 * README.md. A machine can have one lab at a time. The lab outlives the process that brought it up, until `labDown`.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandResult } from '../../adapters/hosts/host.ts';
import { SalvorError } from '../../domain/errors.ts';
import { withLock } from '../../adapters/binaries/lock.ts';
import { copyCredentials, etcdctl, kubectl, waitUntilWell } from './cluster.ts';
import { type Argv, attempt, type CommandOptions, run } from './commands.ts';
import { freshNodes, makeNewNode } from './golden.ts';
import { EVERY_NODE, type LabPaths, labPaths, nodeNumbers, type NodeNumber, USER } from './layout.ts';
import { bootNode, cutPower, initPid, onNode, removeControlGroups, shutDown, tryOnNode } from './machine.ts';
import { labMissing } from './missing.ts';
import { connectNodes, disconnectNodes, OPERATOR_NAMESPACE } from './network.ts';
import { provideKeys } from './node-files.ts';
import { provideParts } from './parts.ts';

export type { NodeNumber } from './layout.ts';
export { labMissing } from './missing.ts';

export interface LabOptions {
  /** Default: the number of existing nodes, else 3. */
  nodes?: 1 | 3;
  /** The directory of its files; default: `lab` in the cache folder. */
  directory?: string;
  /** Called with a description of the work in progress, one line at a time. */
  onProgress?: (line: string) => void;
}

export interface LabNode {
  number: NodeNumber;
  name: string;
  address: string;
  etcdUrl: string;
  apiServerUrl: string;
}

/** A running lab. */
export interface Lab {
  directory: string;
  nodes: readonly LabNode[];
  /**
   * For strict host key checking: `knownHostsFile` holds every node's key, by address and by name. `configFile` has all
   * settings for OpenSSH: `ssh -F <configFile> n1`.
   */
  ssh: { user: string; port: number; identityFile: string; knownHostsFile: string; configFile: string };
  /** The administrator's kubeconfig, which uses the first node. */
  kubeconfig: string;
  /** Paths of PEM files: a client certificate with all permissions, and the authority of etcd's servers. */
  etcd: { ca: string; cert: string; key: string };
  /** Kubernetes' own authority, a PEM file. */
  apiServerCa: string;
  /**
   * Runs a command in a node as root, without SSH, and returns its standard output; throws `CommandFailed` when it
   * fails.
   */
  onNode(number: NodeNumber, argv: Argv, options?: CommandOptions): Promise<string>;
  /** The same, but returns the result whatever the exit code. */
  tryOnNode(number: NodeNumber, argv: Argv, options?: CommandOptions): Promise<CommandResult>;
  /** Runs kubectl with {@link kubeconfig} on this machine and returns its standard output. */
  kubectl(...args: string[]): Promise<string>;
  /** Runs etcdctl with {@link etcd} and every member as an endpoint, and returns its standard output. */
  etcdctl(...args: string[]): Promise<string>;
  /** Runs a command at the operator's workstation, 10.123.0.1, which can reach only the nodes. */
  operatorRun(argv: Argv, options?: CommandOptions): Promise<CommandResult>;
  /** Simulates a power loss of one node. A node that is already down stays down. */
  powerOff(number: NodeNumber): Promise<void>;
  /**
   * Boots a node that is down, and waits for SSH and containerd. Kubernetes comes up by itself: see `waitUntilWell`.
   */
  powerOn(number: NodeNumber): Promise<void>;
  /**
   * Boots a new machine, the fourth, which has never been in a cluster: it has kubelet, containerd and the images, and
   * nothing in /etc/kubernetes.
   */
  bootNewNode(): Promise<LabNode>;
  /**
   * Waits until every kube-apiserver is ready, every node has reported after this call that it is Ready, and its static
   * pods are Ready.
   */
  waitUntilWell(): Promise<void>;
}

/**
 * Brings the lab up and waits until it is healthy: the existing cluster in its current state, else a fresh one. Running
 * nodes are left running.
 * @throws SalvorError `ToolMissing` when this machine can't run it, `UnsafeState` when another lab is up, or this lab
 * has another number of nodes
 */
export async function labUp(options: LabOptions = {}): Promise<Lab> {
  return await changeLab(options, async (paths, report) => {
    const existing = await sizeOf(paths);
    const nodes = options.nodes ?? existing ?? 3;
    if (existing !== undefined && existing !== nodes) {
      throw new SalvorError(
        'UnsafeState',
        `the lab in ${paths.directory} has ${existing} nodes, not ${nodes}; \`npm run lab:reset -- --nodes ${nodes}\` makes a fresh one`,
      );
    }
    if (existing === undefined) await makeFresh(paths, nodes, report);
    return await bootAll(paths, nodes, report);
  });
}

/** Deletes the cluster and brings up a fresh one, by default with the same number of nodes. */
export async function labReset(options: LabOptions = {}): Promise<Lab> {
  return await changeLab(options, async (paths, report) => {
    const nodes = options.nodes ?? (await sizeOf(paths)) ?? 3;
    await makeFresh(paths, nodes, report);
    return await bootAll(paths, nodes, report);
  });
}

/**
 * Shuts the nodes down and removes their network. Their files stay for the next `labUp`. It ends only processes that a
 * record proves to be the lab's.
 */
export async function labDown({ directory, onProgress = () => undefined }: LabOptions = {}): Promise<void> {
  const paths = labPaths(directory);
  await withLock('lab', { report: onProgress }, async () => {
    onProgress('shutting the nodes down');
    await Promise.all(EVERY_NODE.map((number) => shutDown(paths, number)));
    await disconnectNodes(paths);
    await removeControlGroups();
  });
}

/** Which nodes exist and which of them are up; changes nothing. */
export async function labStatus(
  directory?: string,
): Promise<{ directory: string; nodes: (LabNode & { up: boolean; log: string })[] }> {
  const paths = labPaths(directory);
  const size = await sizeOf(paths);
  const nodes = (size === undefined ? [] : nodeNumbers(size)).map(async (number) => ({
    ...nodeOf(paths, number),
    up: (await initPid(paths.node(number))) !== undefined,
    log: paths.node(number).log,
  }));
  return { directory: paths.directory, nodes: await Promise.all(nodes) };
}

/** `argv` in the form that runs at the operator's workstation instead of on this machine. */
export function inOperatorNamespace(argv: Argv): Argv {
  return ['nsenter', `--net=/run/netns/${OPERATOR_NAMESPACE}`, ...argv];
}

async function changeLab<T>(
  { directory, onProgress = () => undefined }: LabOptions,
  work: (paths: LabPaths, report: (line: string) => void) => Promise<T>,
): Promise<T> {
  const missing = await labMissing(directory);
  if (missing.length > 0) throw new SalvorError('ToolMissing', `the lab can't run here: ${missing.join('; ')}`);
  const paths = labPaths(directory);
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  return await withLock('lab', { report: onProgress }, () => work(paths, onProgress));
}

async function makeFresh(paths: LabPaths, nodes: 1 | 3, report: (line: string) => void): Promise<void> {
  const parts = await provideParts(paths, report);
  await Promise.all(EVERY_NODE.map((number) => cutPower(paths, number)));
  // Written last: without it the nodes' files count as unfinished.
  await rm(sizeFile(paths), { force: true });
  await provideKeys(paths);
  await freshNodes(paths, nodes, parts, report);
  await copyCredentials(paths);
  await writeFile(sizeFile(paths), `${nodes}\n`);
}

async function bootAll(paths: LabPaths, nodes: 1 | 3, report: (line: string) => void): Promise<Lab> {
  const numbers = nodeNumbers(nodes);
  const pids = await Promise.all(numbers.map((number) => initPid(paths.node(number))));
  // If the nodes already run, the API is up to date.
  const since = pids.includes(undefined) ? new Date() : new Date(0);
  report('booting the nodes that are down');
  await connectNodes(paths, numbers);
  await Promise.all(numbers.map((number) => bootNode(paths, number)));
  report('waiting for Kubernetes');
  await waitUntilWell(paths, numbers, since);
  return labOf(paths, numbers);
}

function labOf(paths: LabPaths, numbers: readonly NodeNumber[]): Lab {
  const file = (name: string): string => join(paths.admin, name);
  return {
    directory: paths.directory,
    nodes: numbers.map((number) => nodeOf(paths, number)),
    ssh: {
      user: USER.name,
      port: 22,
      identityFile: paths.sshKey,
      knownHostsFile: paths.knownHosts,
      configFile: paths.sshConfiguration,
    },
    kubeconfig: file('kubeconfig'),
    etcd: { ca: file('etcd-ca.crt'), cert: file('etcd-client.crt'), key: file('etcd-client.key') },
    apiServerCa: file('ca.crt'),
    onNode: (number, argv, options) => onNode(paths, number, argv, options),
    tryOnNode: (number, argv, options) => tryOnNode(paths, number, argv, options),
    kubectl: (...args) => run(kubectl(paths, ...args)),
    etcdctl: (...args) => run(etcdctl(paths, numbers, ...args)),
    operatorRun: (argv, options) => attempt(inOperatorNamespace(argv), options),
    powerOff: (number) => cutPower(paths, number),
    powerOn: (number) => bootNode(paths, number),
    bootNewNode: async () => {
      await makeNewNode(paths, 4);
      return nodeOf(paths, 4);
    },
    waitUntilWell: () => waitUntilWell(paths, numbers, new Date()),
  };
}

function nodeOf(paths: LabPaths, number: NodeNumber): LabNode {
  const { name, address } = paths.node(number);
  return { number, name, address, etcdUrl: `https://${address}:2379`, apiServerUrl: `https://${address}:6443` };
}

function sizeFile(paths: LabPaths): string {
  return join(paths.directory, 'size');
}

/** How many nodes the finished cluster has; undefined when there is no cluster. */
async function sizeOf(paths: LabPaths): Promise<1 | 3 | undefined> {
  const text = (await readFile(sizeFile(paths), 'utf8').catch(() => '')).trim();
  return text === '1' ? 1 : text === '3' ? 3 : undefined;
}
