/**
 * The lab's network: a bridge in a namespace of its own (`lab-sw`, also the operator's workstation), a link from it
 * into each node's namespace, and one to this machine, so that ordinary processes reach the nodes. Nothing is routed or
 * forwarded beyond that.
 */
import { readdir } from 'node:fs/promises';
import { SalvorError } from '../../domain/errors.ts';
import { attempt, run } from './commands.ts';
import { EVERY_NODE, type LabPaths, MACHINE_ADDRESS, type NodeNumber, OPERATOR_ADDRESS } from './layout.ts';

export const OPERATOR_NAMESPACE = 'lab-sw';
/** This machine's end of the link. */
const MACHINE_LINK = 'lab-machine';
const BRIDGE = 'br0';

/**
 * Makes the missing parts.
 * @throws SalvorError `UnsafeState` when these names belong to something else: another lab, or not a lab at all
 */
export async function connectNodes(paths: LabPaths, numbers: readonly NodeNumber[]): Promise<void> {
  const owner = await ownerOfNetwork();
  if (owner !== undefined && owner !== paths.directory) {
    throw new SalvorError(
      'UnsafeState',
      `the network namespace ${OPERATOR_NAMESPACE} belongs to ${owner || 'something that is not the lab'}; a machine can have only one lab ` +
        'at a time: take that one down first',
    );
  }
  if (owner === undefined) {
    if (!(await namespaces()).includes(OPERATOR_NAMESPACE)) await ip('netns', 'add', OPERATOR_NAMESPACE);
    await inside(OPERATOR_NAMESPACE, 'link', 'add', BRIDGE, 'type', 'bridge');
    await inside(OPERATOR_NAMESPACE, 'link', 'set', BRIDGE, 'alias', paths.directory, 'up');
    await inside(OPERATOR_NAMESPACE, 'link', 'set', 'lo', 'up');
    await inside(OPERATOR_NAMESPACE, 'address', 'add', `${OPERATOR_ADDRESS}/24`, 'dev', BRIDGE);
  }
  if (!(await succeeds('ip', 'link', 'show', MACHINE_LINK))) {
    await ip('link', 'add', MACHINE_LINK, 'type', 'veth', 'peer', 'name', 'machine', 'netns', OPERATOR_NAMESPACE);
    await inside(OPERATOR_NAMESPACE, 'link', 'set', 'machine', 'master', BRIDGE, 'up');
    await ip('address', 'add', `${MACHINE_ADDRESS}/24`, 'dev', MACHINE_LINK);
    await ip('link', 'set', MACHINE_LINK, 'up');
  }
  for (const number of numbers) await connectNode(paths, number);
}

async function connectNode(paths: LabPaths, number: NodeNumber): Promise<void> {
  const { name, namespace, address } = paths.node(number);
  if (await succeeds('ip', '-n', namespace, 'link', 'show', 'eth0')) return;
  if (!(await namespaces()).includes(namespace)) await ip('netns', 'add', namespace);
  await inside(OPERATOR_NAMESPACE, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  await inside(OPERATOR_NAMESPACE, 'link', 'set', name, 'master', BRIDGE, 'up');
  await inside(namespace, 'link', 'set', 'lo', 'up');
  await inside(namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
  await inside(namespace, 'link', 'set', 'eth0', 'up');
  // The route leads nowhere, but without one the kubelet can't find the node's address.
  await inside(namespace, 'route', 'add', 'default', 'via', OPERATOR_ADDRESS);
  await run(['nsenter', `--net=/run/netns/${namespace}`, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
}

/** Removes the network if it is this lab's; a missing network is fine. */
export async function disconnectNodes(paths: LabPaths): Promise<void> {
  if ((await ownerOfNetwork()) !== paths.directory) return;
  const present = await namespaces();
  for (const number of EVERY_NODE) {
    const { namespace } = paths.node(number);
    if (present.includes(namespace)) await ip('netns', 'delete', namespace);
  }
  if (await succeeds('ip', 'link', 'show', MACHINE_LINK)) await ip('link', 'delete', MACHINE_LINK);
  await ip('netns', 'delete', OPERATOR_NAMESPACE);
}

/**
 * The folder of the lab that owns the network, which is written on the bridge. Empty when none is written there,
 * undefined without a bridge.
 */
async function ownerOfNetwork(): Promise<string | undefined> {
  const { exitCode, stdout } = await attempt(['ip', '-n', OPERATOR_NAMESPACE, 'link', 'show', BRIDGE]);
  return exitCode === 0 ? (/^\s*alias (.*)$/m.exec(stdout)?.[1] ?? '') : undefined;
}

async function namespaces(): Promise<string[]> {
  return await readdir('/run/netns').catch(() => []);
}

async function ip(...args: string[]): Promise<void> {
  await run(['ip', ...args]);
}

async function inside(namespace: string, ...args: string[]): Promise<void> {
  await run(['ip', '-n', namespace, ...args]);
}

async function succeeds(...argv: [string, ...string[]]): Promise<boolean> {
  return (await attempt(argv)).exitCode === 0;
}
