/**
 * Components that the kubelet runs as static pods: moving their manifest out of its folder stops them, moving it back
 * starts them.
 */
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterNode } from '../../../domain/configuration/nodes.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { KUBERNETES_DIRECTORY } from '../../../domain/flavours/kubeadm.ts';
import type { CommandResult, Host } from '../../hosts/host.ts';
import { lastLines } from '../../hosts/tail.ts';
import type { Component, ComponentState, ControlPlane } from '../control-plane.ts';
import { manifestPaths } from './manifest-files.ts';

const POLL_MS = 250;
const CRICTL_MS = 60_000;
const KUBELET_RESTART_MS = 60_000;
/** How long the kubelet may take before Salvor does its work. */
const PATIENCE = {
  /**
   * The kubelet stops a pod's sandbox within a second after its last container. A kubelet that is down doesn't, and
   * neither does one that was started while its kube-apiserver didn't answer: it ends no pod until it has heard of all
   * pods that it is to run.
   */
  stopSandboxMs: 3_000,
  /**
   * The time within which a kubelet that hasn't noticed the missing manifest makes a new sandbox in place of a stopped
   * one, whether this attempt or an earlier, killed one stopped it.
   */
  newSandboxMs: 5_000,
  /**
   * The time within which a kubelet makes the sandbox of a manifest that is put in place. A kubelet that can't end the
   * old manifest's pod, for the same reason as above, never starts the new one; after a restart it knows only the new
   * one.
   */
  newPodMs: 20_000,
  /**
   * A kubelet restarts an ended container within a second or two, or it waits: from 10 s to 5 min, longer each time.
   */
  startAgainMs: 3_000,
};

/**
 * How long a component may take to end by itself. kube-apiserver waits for its watches up to the 30 s that the kubelet
 * would give it; it answers all other requests within a second, and any state that it would still write is about to be
 * replaced. etcd first hands over its leadership.
 */
const GRACE_S = { 'kube-apiserver': 1, etcd: 10, 'kube-controller-manager': 1, 'kube-scheduler': 1 };
type Name = keyof typeof GRACE_S;

/** The control plane of a kubeadm node. */
export function staticPodsControlPlane(
  node: ClusterNode,
  host: Host,
  { directory = KUBERNETES_DIRECTORY, patience = PATIENCE } = {},
): ControlPlane {
  const api = node.apiServer && new URL(node.apiServer.url);
  // Any other address is a load balancer's, whose port says nothing about the node.
  const isOwn = api?.hostname.replace(/^\[|\]$/g, '') === node.address;
  const pod = (name: Name, port?: number) => staticPod(name, host, { directory, patience, port });
  return {
    etcd: pod('etcd', portOf(new URL(node.etcd.clientUrl))),
    apiServer: pod('kube-apiserver', api && isOwn ? portOf(api) : undefined),
    controllerManager: pod('kube-controller-manager'),
    scheduler: pod('kube-scheduler'),
  };
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

interface Seen {
  /** IDs of running containers. */
  containers: string[];
  /** IDs of sandboxes that the kubelet has not stopped. */
  pods: string[];
  isListening: boolean;
}

function staticPod(
  name: Name,
  host: Host,
  { directory, patience, port }: { directory: string; patience: typeof PATIENCE; port: number | undefined },
): Component {
  const { place, aside } = manifestPaths(name, directory);

  async function manifest(signal: AbortSignal): Promise<'in place' | 'aside'> {
    const [atPlace, atAside] = await Promise.all([host.typeOf(place, signal), host.typeOf(aside, signal)]);
    if (atPlace !== undefined && atAside !== undefined) {
      throw new SalvorError(
        'UnsafeState',
        `${host.name}: ${name} has two manifests, ${place} and, moved out, ${aside}; compare them and remove one`,
      );
    }
    if (atPlace !== undefined) return 'in place';
    if (atAside !== undefined) return 'aside';
    throw new SalvorError(
      'UnsafeState',
      `${host.name}: ${name} has no manifest, neither ${place} nor, moved out, ${aside}; put it back, for example from the static resources of a backup`,
    );
  }

  async function crictl(args: string[], signal: AbortSignal): Promise<CommandResult> {
    return await host.run(['crictl', ...args], { signal, timeoutMs: CRICTL_MS });
  }

  async function ids(args: string[], signal: AbortSignal): Promise<string[]> {
    const { exitCode, stdout, stderr } = await crictl(args, signal);
    if (exitCode === 0) return stdout.split('\n').filter((line) => line !== '');
    throw new SalvorError(
      'CommandFailed',
      `${host.name}: \`crictl ${args.join(' ')}\` failed (exit code ${exitCode}), so it is not known whether ${name} runs: ${lastLines(stderr)}`,
    );
  }

  async function look(signal: AbortSignal): Promise<Seen> {
    const [containers, pods, isListening] = await Promise.all([
      ids(['ps', '--quiet', '--state', 'running', ...containerLabels(name)], signal),
      ids(['pods', '--quiet', '--state', 'ready', ...podLabels(name)], signal),
      port === undefined ? false : listens(host, port, signal),
    ]);
    return { containers, pods, isListening };
  }

  /**
   * The kubelet stops the sandbox once it has noticed that the manifest is gone; before that it might restart the
   * container.
   */
  function isGone({ containers, pods, isListening }: Seen): boolean {
    return containers.length === 0 && pods.length === 0 && !isListening;
  }

  async function stop(signal: AbortSignal, deadlineMs: number) {
    const endMs = Date.now() + deadlineMs;
    const changed = (await manifest(signal)) === 'in place';
    if (changed) {
      await host.makeDirectory(dirname(aside), { mode: 0o700, signal });
      await host.rename(place, aside, signal);
    }
    let said = '';
    let emptySinceMs: number | undefined;
    // The process that moved the manifest out just now may also have stopped the sandbox before it was killed.
    let quietUntilMs = !changed && (await wasJustMovedOut(signal)) ? await newSandboxUntilMs(signal) : 0;
    for (;;) {
      const seen = await look(signal);
      if (isGone(seen) && Date.now() >= quietUntilMs) return { changed };
      if (Date.now() > endMs) throw stuck('stopped', `${describe(seen)}${said && `; crictl said: ${said}`}`);
      if (seen.containers.length > 0) {
        emptySinceMs = undefined;
        const result = await crictl(['stop', '--timeout', String(GRACE_S[name]), ...seen.containers], signal);
        said = result.exitCode === 0 ? '' : lastLines(result.stderr);
      } else {
        emptySinceMs ??= Date.now();
        if (seen.pods.length > 0 && Date.now() - emptySinceMs > patience.stopSandboxMs) {
          quietUntilMs = await newSandboxUntilMs(signal);
          await crictl(['stopp', ...seen.pods], signal);
          emptySinceMs = undefined;
        }
      }
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  /**
   * Whether the manifest was renamed in the last minute, by the node's own clock: a kubelet that gets no change
   * notifications lists its folder every 20 s.
   */
  async function wasJustMovedOut(signal: AbortSignal): Promise<boolean> {
    const { stdout } = await host.run(['find', aside, '-maxdepth', '0', '-cmin', '-1'], { signal });
    return stdout !== '';
  }

  async function newSandboxUntilMs(signal: AbortSignal): Promise<number> {
    return (await kubeletRuns(host, signal)) ? Date.now() + patience.newSandboxMs : 0;
  }

  /**
   * Removes the ended containers: from them the kubelet counts its recent starts of the component, and it waits up to 5
   * min before the next one. Their logs stay in /var/log/pods. If the removal fails, the component starts later.
   * @returns whether any existed
   */
  async function forget(signal: AbortSignal): Promise<boolean> {
    const ended = await ids(['ps', '--all', '--quiet', '--state', 'exited', ...containerLabels(name)], signal);
    if (ended.length > 0) await crictl(['rm', ...ended], signal);
    return ended.length > 0;
  }

  /**
   * Stops the kube-apiserver: without its etcd it accepts requests and doesn't answer them, and the kubelet waits 34 s
   * for each and starts no pod meanwhile.
   */
  async function endApiServer(signal: AbortSignal): Promise<void> {
    const running = await ids(['ps', '--quiet', '--state', 'running', ...containerLabels('kube-apiserver')], signal);
    if (running.length > 0) await crictl(['stop', '--timeout', String(GRACE_S['kube-apiserver']), ...running], signal);
  }

  async function start(signal: AbortSignal, deadlineMs: number) {
    const endMs = Date.now() + deadlineMs;
    let changed = (await manifest(signal)) === 'aside';
    if (changed) {
      await forget(signal);
      await host.rename(aside, place, signal);
    }
    let restartMs = Date.now() + patience.newPodMs;
    let startAgainMs = Date.now() + patience.startAgainMs;
    for (;;) {
      const seen = await look(signal);
      if (seen.containers.length > 0) return { changed };
      changed = true;
      if (seen.pods.length > 0 && Date.now() > startAgainMs && (await forget(signal))) {
        // The pod has died, and its kubelet has chosen a time for the next look; it looks at once when the sandbox is
        // gone.
        if (name === 'etcd') await endApiServer(signal);
        await crictl(['stopp', ...seen.pods], signal);
        startAgainMs = Date.now() + patience.startAgainMs;
        restartMs = Date.now() + patience.newPodMs;
      }
      if (seen.pods.length === 0 && Date.now() > restartMs) {
        restartMs = Infinity;
        await host.run(['systemctl', 'restart', 'kubelet'], { signal, timeoutMs: KUBELET_RESTART_MS });
      }
      if (Date.now() > endMs) {
        const kubelet = (await kubeletRuns(host, signal)) ? 'the kubelet runs' : 'the kubelet does not run';
        throw stuck('running', `${describe(seen)}, and ${kubelet}`);
      }
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  function describe({ containers, pods, isListening }: Seen): string {
    return [
      `running containers: ${containers.map((id) => id.slice(0, 13)).join(', ') || 'none'}`,
      `pods: ${pods.map((id) => id.slice(0, 13)).join(', ') || 'none'}`,
      ...(port === undefined ? [] : [`port ${port} is ${isListening ? '' : 'not '}listened on`]),
    ].join('; ');
  }

  function stuck(wanted: ComponentState, seen: string): SalvorError {
    const moved = wanted === 'running' ? `back to ${place}` : `out to ${aside}`;
    return new SalvorError(
      'ComponentStuck',
      `${host.name}: ${name} is not ${wanted} although its manifest was moved ${moved}: ${seen}; check it on the node (crictl ps -a, journalctl -u kubelet)`,
    );
  }

  return {
    name,
    async status(signal) {
      // A manifest in its place is enough: the kubelet may start it at any moment.
      if ((await manifest(signal)) === 'in place') return 'running';
      return isGone(await look(signal)) ? 'stopped' : 'running';
    },
    start,
    stop,
  };
}

/** The kubelet's own labels. */
function containerLabels(name: Name): string[] {
  return ['--label', `io.kubernetes.container.name=${name}`, '--label', 'io.kubernetes.pod.namespace=kube-system'];
}

/** The labels that kubeadm writes into its manifests. */
function podLabels(name: Name): string[] {
  return ['--label', `component=${name}`, '--label', 'tier=control-plane', '--namespace', '^kube-system$'];
}

async function kubeletRuns(host: Host, signal: AbortSignal): Promise<boolean> {
  return (await host.run(['pgrep', '-x', 'kubelet'], { signal })).exitCode === 0;
}

/** In the kernel's format: the port in hexadecimal, and 0A for a listening socket. */
async function listens(host: Host, port: number, signal: AbortSignal): Promise<boolean> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => host.readText(path, signal)));
  const socket = new RegExp(
    `^ *\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F:]+ 0A `,
    'm',
  );
  return tables.some((table) => table !== undefined && socket.test(table));
}
