/** Components that commands start, stop and look at: systemd units, containers, or whatever the configuration says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { basename } from 'node:path';
import type { ClusterNode, Service } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { CommandResult, Host } from '../hosts/host.ts';
import { lastLines } from '../hosts/process.ts';
import type { Component, ComponentState, ControlPlane } from './control-plane.ts';

const POLL_MS = 200;
const STATUS_MS = 30_000;

/**
 * The control plane of a node that is run by commands.
 * @throws SalvorError `InvalidConfiguration` when the node's etcd has no commands
 */
export function servicesControlPlane(node: ClusterNode, host: Host): ControlPlane {
  const { etcd, apiServer } = node;
  if (etcd.service === undefined) {
    throw new SalvorError(
      'InvalidConfiguration',
      `${node.name}: nothing says how etcd is started and stopped; set etcd.service of the node`,
    );
  }
  return {
    etcd: serviceComponent('etcd', etcd.service, host),
    ...(apiServer?.service && { apiServer: serviceComponent('kube-apiserver', apiServer.service, host) }),
  };
}

function serviceComponent(name: string, service: Service, host: Host): Component {
  async function status(signal: AbortSignal): Promise<ComponentState> {
    const argv = commandOf(service.status);
    const result = await host.run(argv, { signal, timeoutMs: STATUS_MS });
    if (saysNothing(argv[0], result)) {
      throw failed(`${host.name}: \`${argv.join(' ')}\` can't tell whether ${name} runs`, result);
    }
    // systemd says so of a unit whose process is still on its way out, and of one that it is about to start again.
    const isBetween = ['deactivating', 'activating'].includes(result.stdout.trim());
    return result.exitCode === 0 || isBetween ? 'running' : 'stopped';
  }

  async function bring(wanted: ComponentState, command: string[], signal: AbortSignal, deadlineMs: number) {
    if ((await status(signal)) === wanted) return { changed: false };
    const endMs = Date.now() + deadlineMs;
    const argv = commandOf(command);
    const result = await host.run(argv, { signal, timeoutMs: deadlineMs });
    if (result.exitCode !== 0) throw failed(`${host.name}: \`${argv.join(' ')}\` failed`, result);
    while ((await status(signal)) !== wanted) {
      if (Date.now() > endMs) {
        const said = lastLines(`${result.stdout}\n${result.stderr}`);
        throw new SalvorError(
          'ComponentStuck',
          `${host.name}: ${name} is not ${wanted} ${deadlineMs / 1_000} s after \`${argv.join(' ')}\`; look at it on the node${said && `. The command said: ${said}`}`,
        );
      }
      await sleep(POLL_MS, undefined, { signal });
    }
    return { changed: true };
  }

  return {
    name,
    status,
    start: (signal, deadlineMs) => bring('running', service.start, signal, deadlineMs),
    async stop(signal, deadlineMs, { restarts = false } = {}) {
      const { changed } = await bring('stopped', service.stop, signal, deadlineMs);
      // Whoever starts it anew is told not to; a command that has nothing to stop may say so by its exit code.
      if (restarts && !changed) await host.run(commandOf(service.stop), { signal, timeoutMs: deadlineMs });
      return { changed };
    },
  };
}

/**
 * Whether a status command's answer means neither "runs" nor "stopped". Taking such a one for "stopped" would let a restore
 * move the data directory of an etcd that runs.
 */
function saysNothing(command: string, { exitCode, stderr }: CommandResult): boolean {
  // 126 and more: it could not be run, or a signal ended it.
  if (exitCode >= 126) return true;
  // systemctl(1): 4 is "no such unit"; 1 comes from a systemd that can't be asked.
  if (basename(command) === 'systemctl') return exitCode === 4 || exitCode === 1;
  return basename(command) === 'docker' && /Cannot connect|No such container|permission denied/i.test(stderr);
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
