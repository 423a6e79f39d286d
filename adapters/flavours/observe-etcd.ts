/** What a node shows of an etcd that doesn't answer: whether it runs, ends again and again, or is not there. */
import { basename } from 'node:path';
import { z } from 'zod';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { ProcessSeen } from '../../domain/members/member-table.ts';
import { controlPlaneFor } from './find.ts';
import type { Host } from '../hosts/host.ts';

/** Long enough to see a service manager start it once more. */
const WATCH_S = 6;
/** A container that has run for so long is no longer counted as one of a loop. */
const SETTLED_MS = 60_000;

/** A node that can't be looked at is an answer as well. */
export async function observeEtcd(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
): Promise<ProcessSeen> {
  try {
    const looked =
      cluster.flavour === 'kubeadm'
        ? await watchContainers(cluster, node, host, signal)
        : await watchProcesses(cluster, node, host, signal);
    if (looked.process === 'running')
      return { node: node.name, process: 'running', seen: `${looked.seen}, and doesn't answer` };
    const words = await lastWords(cluster, node, host, signal);
    return {
      node: node.name,
      process: looked.process,
      seen: [looked.seen, words].filter((part) => part !== '').join('; '),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SalvorError)) throw error;
    const { type, message } = error;
    const isAway = type === 'HostUnreachable' || type === 'AccessDenied';
    // Without its manifest nothing runs; what else is in the way of a look says nothing of etcd.
    return {
      node: node.name,
      process: isAway ? 'unreachable' : type === 'UnsafeState' ? 'stopped' : 'running',
      seen: message,
    };
  }
}

type Looked = Pick<ProcessSeen, 'process' | 'seen'>;

const containersSchema = z.object({
  containers: z.array(
    z.object({
      state: z.string(),
      createdAt: z.string(),
      metadata: z.object({ attempt: z.number().default(0) }).optional(),
    }),
  ),
});

/** The kubelet starts a container ever more rarely, up to every five minutes: its counter tells. */
async function watchContainers(cluster: Cluster, node: ClusterNode, host: Host, signal: AbortSignal): Promise<Looked> {
  if ((await controlPlaneFor(cluster, node, host).etcd.status(signal)) === 'stopped') {
    return { process: 'stopped', seen: 'the manifest of its static pod is not in its place' };
  }
  const argv = ['crictl', 'ps', '--all', '--output', 'json', '--label', 'io.kubernetes.container.name=etcd'] as const;
  const { exitCode, stdout, stderr } = await host.run(argv, { signal });
  const answer = exitCode === 0 ? containersSchema.safeParse(JSON.parse(stdout)) : undefined;
  if (!answer?.success) {
    throw new SalvorError(
      'CommandFailed',
      `${host.name}: \`${argv.join(' ')}\` does not tell the containers of etcd: ${stderr.trim()}`,
    );
  }
  const [newest] = answer.data.containers.sort((a, b) => Number(BigInt(b.createdAt) - BigInt(a.createdAt)));
  if (newest === undefined) return { process: 'stopped', seen: 'there is no container of etcd' };
  const attempts = (newest.metadata?.attempt ?? 0) + 1;
  const isRunning = newest.state === 'CONTAINER_RUNNING';
  const ageMs = Date.now() - Number(BigInt(newest.createdAt) / 1_000_000n);
  if (isRunning && (attempts === 1 || ageMs > SETTLED_MS)) return { process: 'running', seen: 'its container runs' };
  return {
    process: 'crash-looping',
    seen: `its container ends again and again: the kubelet has started ${attempts} of them`,
  };
}

/**
 * Prints the process ID of every etcd with a data directory that is there within some seconds: one that crashes lives for tenths of a second. Nothing is started
 * but a clock and a pause, so that it is quick enough on a busy machine; the shell leaves the NULs out of a command line.
 */
const PROCESSES = `
end=$(($(date +%s) + $2)) seen=' '
while [ "$(date +%s)" -lt "$end" ]; do
  for file in /proc/[0-9]*/comm; do
    read -r name <"$file" || continue
    [ "$name" = etcd ] || continue
    pid=\${file#/proc/} pid=\${pid%/comm}
    case $seen in *" $pid "*) continue ;; esac
    IFS= read -r words <"/proc/$pid/cmdline"
    case "$words--" in *"--data-dir=$1-"* | *"--data-dir$1-"*) seen="$seen$pid " ;; esac
  done
  sleep 0.05
done 2>/dev/null
printf '%s\\n' $seen`;

async function watchProcesses(cluster: Cluster, node: ClusterNode, host: Host, signal: AbortSignal): Promise<Looked> {
  const { etcd } = controlPlaneFor(cluster, node, host);
  const before = await etcd.status(signal);
  const { stdout } = await host.run(['sh', '-c', PROCESSES, 'salvor', node.etcd.dataDir, String(WATCH_S)], { signal });
  const after = await etcd.status(signal);
  const count = stdout.split('\n').filter((line) => line !== '').length;
  if (count > 1) {
    return {
      process: 'crash-looping',
      seen: `${count} processes of etcd were there one after the other in ${WATCH_S} s`,
    };
  }
  if (before === 'running' && after === 'running' && !(await isRestarting(node, host, signal))) {
    return { process: 'running', seen: 'its service runs' };
  }
  // In the pause before it is started once more it is neither running nor stopped.
  if (count === 1 || before !== after || (await isRestarting(node, host, signal))) {
    return { process: 'crash-looping', seen: 'its service ends and is started again' };
  }
  return { process: 'stopped', seen: 'its service does not run' };
}

/** As systemd says it of a unit that it will start again. */
async function isRestarting(node: ClusterNode, host: Host, signal: AbortSignal): Promise<boolean> {
  const [command = '', ...args] = node.etcd.service?.status ?? [];
  if (basename(command) !== 'systemctl') return false;
  return (await host.run([command, ...args], { signal })).stdout.trim() === 'activating';
}

const KUBEADM_LOG =
  'f=$(ls -t /var/log/pods/kube-system_etcd-*/etcd/*.log 2>/dev/null | head -n 1) && tail -n 2 -- "$f"';
const WORDS = 300;

/** The last lines of its log, where it is known how to get them. They say why better than anything else. */
async function lastWords({ flavour }: Cluster, node: ClusterNode, host: Host, signal: AbortSignal): Promise<string> {
  const [command = '', , name = ''] = node.etcd.service?.start ?? [];
  const argv: [string, ...string[]] | undefined =
    flavour === 'kubeadm'
      ? ['sh', '-c', KUBEADM_LOG]
      : basename(command) === 'systemctl'
        ? ['journalctl', '--unit', name, '--lines', '2', '--output', 'cat', '--no-pager']
        : basename(command) === 'docker'
          ? ['docker', 'logs', '--tail', '2', name]
          : undefined;
  if (argv === undefined) return '';
  const { exitCode, stdout, stderr } = await host
    .run(argv, { signal })
    .catch(() => ({ exitCode: 1, stdout: '', stderr: '' }));
  const said = `${stdout}\n${stderr}`.trim().replaceAll(/\s+/g, ' ');
  return exitCode === 0 && said !== '' ? `its log ends with: ${said.slice(-WORDS)}` : '';
}
