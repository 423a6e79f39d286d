/** What a node's containers show of an etcd that doesn't answer. */
import { z } from 'zod';
import { SalvorError } from '../../../domain/errors.ts';
import type { Host } from '../../hosts/host.ts';
import type { Component } from '../control-plane.ts';
import type { EtcdLook } from '../flavour.ts';

/** A container that has run for this long no longer counts as part of a restart loop. */
const SETTLED_MS = 60_000;

const containersSchema = z.object({
  containers: z.array(
    z.object({
      state: z.string(),
      createdAt: z.string(),
      metadata: z.object({ attempt: z.number().default(0) }).optional(),
    }),
  ),
});

/**
 * The kubelet restarts a container ever more rarely, up to every five minutes; its counter of attempts shows a loop.
 */
export async function lookAtContainers(etcd: Component, host: Host, signal: AbortSignal): Promise<EtcdLook> {
  if ((await etcd.status(signal)) === 'stopped') {
    return { process: 'stopped', seen: 'the manifest of its static pod is not in its place' };
  }
  const argv = ['crictl', 'ps', '--all', '--output', 'json', '--label', 'io.kubernetes.container.name=etcd'] as const;
  const { exitCode, stdout, stderr } = await host.run(argv, { signal });
  const answer = exitCode === 0 ? containersSchema.safeParse(JSON.parse(stdout)) : undefined;
  if (!answer?.success) {
    throw new SalvorError(
      'CommandFailed',
      `${host.name}: \`${argv.join(' ')}\` did not list the containers of etcd: ${stderr.trim()}`,
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
    seen: `its container keeps ending: the kubelet has started ${attempts} of them`,
  };
}
