/** The nodes as machines: boots them, cuts their power, runs commands in them. */
import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SalvorError } from '../../domain/errors.ts';
import { identityOf, runningPid, signalProcess } from '../processes.ts';
import type { CommandResult } from '../../adapters/hosts/host.ts';
import { type Argv, attempt, type CommandOptions, run, waitFor } from './commands.ts';
import type { LabPaths, NodePaths, NodeNumber } from './layout.ts';

export const BOOT_SCRIPT = join(import.meta.dirname, 'boot-node.sh');

/** systemd powers off when process 1 gets SIGRTMIN+4; the first real-time signal is 34. */
const POWER_OFF = 38;
const NODE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Boots a node and waits until SSH works and containerd runs. A running node is left alone. */
export async function bootNode(paths: LabPaths, number: NodeNumber): Promise<void> {
  const node = paths.node(number);
  if ((await initPid(node)) !== undefined) return;
  // A real machine boots without any cgroups; with those of dead containers the kubelet would search for 50 s before it
  // starts its own.
  await removeControlGroups(node.name);
  await mkdir(dirname(node.record), { recursive: true });
  const log = await open(node.log, 'w');
  try {
    const argv = [node.name, node.directory, `/run/netns/${node.namespace}`, paths.binaries, paths.images];
    const child = spawn(BOOT_SCRIPT, argv, { detached: true, stdio: ['ignore', log.fd, log.fd] });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
    const pid = await promise;
    child.unref();
    await writeFile(node.record, `${pid} ${await identityOf(pid)}\n`);
  } finally {
    await log.close();
  }
  await waitFor(`${node.name} booted`, 60_000, async () => {
    if ((await runningPid(node.record)) === undefined) {
      const said = (await readFile(node.log, 'utf8')).trim().split('\n').slice(-10).join('\n');
      throw new SalvorError('CommandFailed', `lab: ${node.name} did not boot; ${node.log} ends with: ${said}`);
    }
    if ((await initPid(node)) === undefined) return 'systemd has not started';
    const ssh = await tryOnNode(paths, number, ['systemctl', 'is-active', 'ssh']);
    if (ssh.exitCode !== 0) return `ssh is ${ssh.stdout.trim() || 'not up'}`;
    // Its unit may be active before its socket is there.
    const containerd = await tryOnNode(paths, number, ['ctr', 'version']);
    return containerd.exitCode === 0 ? undefined : `containerd does not answer: ${containerd.stderr.trim()}`;
  });
}

/** Simulates a power loss: the node's process 1 is killed, and the kernel ends all others in it at the same moment. */
export async function cutPower(paths: LabPaths, number: NodeNumber): Promise<void> {
  await endNode(paths.node(number), 'SIGKILL');
}

/** Presses the power button: services are stopped first. */
export async function shutDown(paths: LabPaths, number: NodeNumber): Promise<void> {
  await endNode(paths.node(number), POWER_OFF);
}

async function endNode(node: NodePaths, signal: 'SIGKILL' | number): Promise<void> {
  const pid = await initPid(node);
  if (pid !== undefined) process.kill(pid, signal);
  const killAt = performance.now() + 30_000;
  await waitFor(
    `the end of ${node.name}`,
    40_000,
    async () => {
      const machine = await runningPid(node.record);
      if (machine === undefined) return undefined;
      // A node that is still booting has no process 1, and one that hangs doesn't obey.
      if (pid === undefined || performance.now() > killAt) signalProcess(machine, 'SIGKILL');
      return `process ${machine} still runs`;
    },
    50,
  );
  await rm(node.record, { force: true });
}

/** The pid, on this machine, of a node's process 1; undefined when the node is down. */
export async function initPid(node: NodePaths): Promise<number | undefined> {
  const machine = await runningPid(node.record);
  if (machine === undefined) return undefined;
  const { stdout } = await attempt(['pgrep', '--parent', String(machine), '--exact', 'systemd']);
  const pid = Number(stdout.trim());
  return pid > 1 ? pid : undefined;
}

/** Runs a command in a node as its root, without SSH; returns its result whatever the exit code. */
export async function tryOnNode(
  paths: LabPaths,
  number: NodeNumber,
  argv: Argv,
  options?: CommandOptions,
): Promise<CommandResult> {
  return await attempt(await intoNode(paths.node(number), argv), options);
}

/**
 * Runs a command in a node as its root, without SSH; returns its standard output.
 * @throws SalvorError `CommandFailed` when it fails, `HostUnreachable` when the node is down
 */
export async function onNode(
  paths: LabPaths,
  number: NodeNumber,
  argv: Argv,
  options?: CommandOptions,
): Promise<string> {
  return await run(await intoNode(paths.node(number), argv), options);
}

async function intoNode(node: NodePaths, argv: Argv): Promise<Argv> {
  const pid = await initPid(node);
  if (pid === undefined) throw new SalvorError('HostUnreachable', `lab: ${node.name} is down`);
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wd'];
  const environment = ['HOME=/root', 'TERM=dumb', `PATH=${NODE_PATH}`, 'KUBECONFIG=/etc/kubernetes/admin.conf'];
  return ['nsenter', '--target', String(pid), ...namespaces, 'env', '-i', ...environment, ...argv];
}

/** Removes the control groups in which a node, or all nodes, ran; groups that still hold processes stay. */
export async function removeControlGroups(node = ''): Promise<void> {
  const top = `/sys/fs/cgroup/*/salvor-lab${node === '' ? '' : `/${node}`}`;
  await attempt([
    'find',
    '/sys/fs/cgroup/',
    '-type',
    'd',
    '(',
    '-path',
    top,
    '-o',
    '-path',
    `${top}/*`,
    ')',
    '-delete',
  ]);
}
