/** Reads the manifest of a static pod: the flags of its program, and which of its files are on the node. */
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { SalvorError } from '../../../domain/errors.ts';
import { isBelow } from '../../hosts/is-below.ts';

const podSchema = z.object({
  spec: z.object({
    containers: z.array(
      z.object({
        name: z.string(),
        command: z.array(z.string()).default([]),
        args: z.array(z.string()).default([]),
        volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })).default([]),
      }),
    ),
    volumes: z.array(z.object({ name: z.string(), hostPath: z.object({ path: z.string() }).optional() })).default([]),
  }),
});

export interface StaticPod {
  /** The flags of the container that has the program's name, each with its value: `--data-dir` and `/var/lib/etcd`. */
  flags: Map<string, string>;
  /** The path on the node of a file that the program sees at this path. */
  onNode: (path: string) => string;
}

/**
 * @param program for example `etcd` or `kube-apiserver`: the name that kubeadm gives its container
 * @param where named in messages: node and file
 * @throws SalvorError `UnsafeState` for a text that is not a static pod of that program
 */
export function readManifest(manifest: string, program: string, where: string): StaticPod {
  const pod = podSchema.safeParse(parsed(manifest));
  const container = pod.data?.spec.containers.find(
    ({ name, command, args }) => name === program && command.length + args.length > 0,
  );
  if (pod.data === undefined || container === undefined) throw notTheManifest(program, where);
  const { volumes } = pod.data.spec;
  const { command, args, volumeMounts } = container;
  return {
    flags: new Map([...command, ...args].map((word) => flagOf(word))),
    onNode(path) {
      const [mount] = volumeMounts
        .filter(({ mountPath }) => isBelow(path, mountPath))
        .sort((a, b) => b.mountPath.length - a.mountPath.length);
      const onNode = volumes.find(({ name }) => name === mount?.name)?.hostPath?.path;
      return mount && onNode !== undefined ? join(onNode, path.slice(mount.mountPath.length)) : path;
    },
  };
}

/** Splits an argument into a flag and its value, which is empty if it has none. */
export function flagOf(word: string): [flag: string, value: string] {
  const end = word.indexOf('=');
  return end === -1 ? [word, ''] : [word.slice(0, end), word.slice(end + 1)];
}

export function notTheManifest(program: string, where: string): SalvorError {
  return new SalvorError(
    'UnsafeState',
    `${where} is not a manifest of ${program}'s static pod as kubeadm writes it; check the file on the node`,
  );
}

function parsed(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return undefined;
  }
}
