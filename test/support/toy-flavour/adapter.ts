/**
 * A node of the toy: the program that becomes etcd, and the file with its process ID, are next to the data directory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterNode } from '../../../domain/configuration/nodes.ts';
import type { Cluster } from '../../../domain/configuration/resolve.ts';
import { SalvorError } from '../../../domain/errors.ts';
import type { Component, ComponentState } from '../../../adapters/flavours/control-plane.ts';
import type { FlavourNode } from '../../../adapters/flavours/flavour.ts';
import { servicesNode } from '../../../adapters/flavours/services.ts';
import { lookAtProcesses } from '../../../adapters/flavours/services/processes.ts';
import type { Host } from '../../../adapters/hosts/host.ts';
import { runOn } from '../../../adapters/hosts/run-on.ts';

const POLL_MS = 50;

/** A zombie, which has ended but whose exit code nobody has read, no longer has a program. */
const STATUS = 'read -r pid <"$1.pid" && [ -e "/proc/$pid/exe" ]';
const START = 'setsid "$1" </dev/null >>"$1.log" 2>&1 & echo $! >"$1.pid"';
const STOP = 'read -r pid <"$1.pid" && kill -TERM "$pid"';

export function toyNode(cluster: Cluster, node: ClusterNode, host: Host): FlavourNode {
  const program = `${node.etcd.dataDir}.run`;
  const etcd = recordedProcess('etcd', program, host);
  return {
    ...servicesNode(cluster, { ...node, etcd: { ...node.etcd, configuration: program } }, host),
    controlPlane: () => ({ etcd }),
    lookAtEtcd: async (signal) => await lookAtProcesses(etcd, node, host, signal),
    logCommand: () => ['tail', '-n', '2', `${program}.log`],
    async readSettling(signal) {
      const { stdout } = await host.run(['stat', '-c', '%Y', '--', program], { signal });
      const changedAt = new Date(Number(stdout) * 1_000).toISOString();
      return { installedAt: null, lastChange: { path: program, changedAt } };
    },
    furtherStaticPaths: async () => [program],
  };
}

function recordedProcess(name: string, program: string, host: Host): Component {
  const argv = (script: string) => ['sh', '-c', script, 'toy', program] as const;

  async function status(signal: AbortSignal): Promise<ComponentState> {
    return (await host.run(argv(STATUS), { signal })).exitCode === 0 ? 'running' : 'stopped';
  }

  async function bring(wanted: ComponentState, script: string, signal: AbortSignal, deadlineMs: number) {
    if ((await status(signal)) === wanted) return { changed: false };
    await runOn(host, argv(script), signal);
    const endMs = Date.now() + deadlineMs;
    while ((await status(signal)) !== wanted) {
      if (Date.now() > endMs)
        throw new SalvorError('ComponentStuck', `${host.name}: ${name} is not ${wanted}; see ${program}.log`);
      await sleep(POLL_MS, undefined, { signal });
    }
    return { changed: true };
  }

  return {
    name,
    status,
    start: async (signal, deadlineMs) => await bring('running', START, signal, deadlineMs),
    stop: async (signal, deadlineMs) => await bring('stopped', STOP, signal, deadlineMs),
  };
}
