/**
 * Components that commands start, stop and check: systemd units, containers, or anything that the configuration names.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { basename } from 'node:path';
import type { ClusterNode, Service } from '../../../domain/configuration/nodes.ts';
import { SalvorError } from '../../../domain/errors.ts';
import type { CommandResult, Host } from '../../hosts/host.ts';
import { lastLines } from '../../hosts/tail.ts';
import type { Component, ComponentState, ControlPlane } from '../control-plane.ts';

const POLL_MS = 200;
const STATUS_MS = 30_000;

/**
 * The control plane of a node whose components are run by commands.
 * @throws SalvorError `InvalidConfiguration` when the node's etcd has no commands
 */
export function servicesControlPlane(node: ClusterNode, host: Host): ControlPlane {
  const { etcd, apiServer } = node;
  if (etcd.service === undefined) {
    throw new SalvorError(
      'InvalidConfiguration',
      `${node.name}: the configuration doesn't say how to start and stop etcd; set etcd.service of the node`,
    );
  }
  return {
    etcd: serviceComponent('etcd', etcd.service, host),
    ...(apiServer?.service && { apiServer: serviceComponent('kube-apiserver', apiServer.service, host) }),
  };
}

/**
 * `starting` is neither: a component that a supervisor is about to restart must be stopped to stay down, and is not up
 * yet.
 */
type Seen = ComponentState | 'starting';

function serviceComponent(name: string, service: Service, host: Host): Component {
  async function look(signal: AbortSignal): Promise<Seen> {
    const argv = commandOf(service.status);
    const result = await host.run(argv, { signal, timeoutMs: STATUS_MS });
    const seen = readStatus(argv, result);
    if (seen !== undefined) return seen;
    throw failed(`${host.name}: \`${argv.join(' ')}\` can't tell whether ${name} runs`, result);
  }

  async function bring(wanted: ComponentState, command: string[], signal: AbortSignal, deadlineMs: number) {
    if ((await look(signal)) === wanted) return { changed: false };
    const endMs = Date.now() + deadlineMs;
    const argv = commandOf(command);
    const result = await host.run(argv, { signal, timeoutMs: deadlineMs });
    if (result.exitCode !== 0) throw failed(`${host.name}: \`${argv.join(' ')}\` failed`, result);
    while ((await look(signal)) !== wanted) {
      if (Date.now() > endMs) {
        const said = lastLines(`${result.stdout}\n${result.stderr}`);
        throw new SalvorError(
          'ComponentStuck',
          `${host.name}: ${name} is not ${wanted} ${deadlineMs / 1_000} s after \`${argv.join(' ')}\`; check it on the node${said && `. The command said: ${said}`}`,
        );
      }
      await sleep(POLL_MS, undefined, { signal });
    }
    return { changed: true };
  }

  return {
    name,
    status: async (signal) => ((await look(signal)) === 'stopped' ? 'stopped' : 'running'),
    start: (signal, deadlineMs) => bring('running', service.start, signal, deadlineMs),
    async stop(signal, deadlineMs, { restarts = false } = {}) {
      const { changed } = await bring('stopped', service.stop, signal, deadlineMs);
      // This tells a supervisor not to restart it; a command that has nothing to stop may report that by its exit code.
      if (restarts && !changed) await host.run(commandOf(service.stop), { signal, timeoutMs: deadlineMs });
      return { changed };
    },
  };
}

/** How docker, podman and nerdctl name the state of a container. */
const CONTAINER_STATES: Record<string, Seen> = {
  running: 'running',
  paused: 'running',
  stopping: 'running',
  removing: 'running',
  restarting: 'starting',
  created: 'stopped',
  configured: 'stopped',
  initialized: 'stopped',
  exited: 'stopped',
  stopped: 'stopped',
  dead: 'stopped',
};

/**
 * What a status command's answer means; undefined when it means neither "runs" nor "stopped". To take such an answer
 * for "stopped" would let a restore move the data directory of a running etcd.
 */
function readStatus(argv: string[], { exitCode, stdout, stderr }: CommandResult): Seen | undefined {
  const [command = '', ...args] = argv;
  const program = basename(command);
  const word = stdout.trim();
  // 126 and more: the command could not be run, or a signal ended it.
  if (exitCode >= 126) return undefined;
  // systemctl(1): 4 is "no such unit"; 1 comes from a systemd that can't be asked.
  if (program === 'systemctl' && (exitCode === 4 || exitCode === 1)) return undefined;
  // systemd's words, with exit code 3, for a process that is stopping, and for one that is starting or will restart
  // after a crash.
  if (word === 'deactivating') return 'running';
  if (word === 'activating') return 'starting';
  if (['docker', 'podman', 'nerdctl'].includes(program)) {
    if (args.includes('--format={{.State.Status}}')) return exitCode === 0 ? CONTAINER_STATES[word] : undefined;
    if (/Cannot connect|No such (container|object)|permission denied/i.test(stderr)) return undefined;
  }
  return exitCode === 0 ? 'running' : 'stopped';
}

function failed(problem: string, { exitCode, stdout, stderr }: CommandResult): SalvorError {
  const said = lastLines(stderr) || lastLines(stdout) || 'it said nothing';
  return new SalvorError('CommandFailed', `${problem} (exit code ${exitCode}): ${said}`);
}

function commandOf(words: string[]): [string, ...string[]] {
  const [command, ...args] = words;
  if (command === undefined) throw new SalvorError('InvalidConfiguration', 'a command of a service is empty');
  return [command, ...args];
}
