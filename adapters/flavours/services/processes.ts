/** What a node's processes show of an etcd that doesn't answer. */
import { basename } from 'node:path';
import type { ClusterNode } from '../../../domain/configuration/nodes.ts';
import type { Host } from '../../hosts/host.ts';
import type { Component } from '../control-plane.ts';
import type { EtcdLook } from '../flavour.ts';

/** Long enough to see a service manager restart it. */
const WATCH_S = 6;

/**
 * Prints the process ID of every etcd with a data directory that is seen within some seconds: a crashing etcd lives for
 * tenths of a second. The script starts nothing but a clock and a pause, so it is quick enough on a busy machine. The
 * shell drops the NULs of a command line.
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

export async function lookAtProcesses(
  etcd: Component,
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
): Promise<EtcdLook> {
  const before = await etcd.status(signal);
  const { stdout } = await host.run(['sh', '-c', PROCESSES, 'salvor', node.etcd.dataDir, String(WATCH_S)], { signal });
  const after = await etcd.status(signal);
  const count = stdout.split('\n').filter((line) => line !== '').length;
  if (count > 1) {
    return {
      process: 'crash-looping',
      seen: `${count} etcd processes came one after the other within ${WATCH_S} s`,
    };
  }
  if (before === 'running' && after === 'running' && !(await isRestarting(node, host, signal))) {
    return { process: 'running', seen: 'its service runs' };
  }
  // In the pause before a restart it is neither running nor stopped.
  if (count === 1 || before !== after || (await isRestarting(node, host, signal))) {
    return { process: 'crash-looping', seen: 'its service keeps ending and being restarted' };
  }
  return { process: 'stopped', seen: 'its service does not run' };
}

/** How systemd describes a unit that it will restart. */
async function isRestarting(node: ClusterNode, host: Host, signal: AbortSignal): Promise<boolean> {
  const [command = '', ...args] = node.etcd.service?.status ?? [];
  if (basename(command) !== 'systemctl') return false;
  return (await host.run([command, ...args], { signal })).stdout.trim() === 'activating';
}
