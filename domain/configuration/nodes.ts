/** The control-plane machines of a cluster. */
import { z } from 'zod';
import {
  absolutePathSchema,
  addressSchema,
  commandSchema,
  nameSchema,
  urlSchema,
  workerPathSchema,
} from '../values.ts';

/** The commands that start, stop and check a component. `status` exits 0 while it runs. */
const serviceCommandsSchema = z.strictObject({ start: commandSchema, stop: commandSchema, status: commandSchema });
const unitName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9:_.@\\-]*$/, 'expected the name of a systemd unit, as in etcd or etcd@m1.service');
const containerName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'expected the name of a container, as in etcd or kube_apiserver-1');
const serviceSchema = z.union(
  [
    serviceCommandsSchema,
    z.strictObject({ systemd: unitName }),
    z.strictObject({ docker: containerName }),
    z.strictObject({ podman: containerName }),
    z.strictObject({ nerdctl: containerName }),
  ],
  'expected {systemd: UNIT}, {docker: CONTAINER}, {podman: CONTAINER}, {nerdctl: CONTAINER} or {start: [...], stop: [...], status: [...]}',
);
export type Service = z.infer<typeof serviceCommandsSchema>;

export const tlsSchema = z.strictObject({ ca: workerPathSchema, cert: workerPathSchema, key: workerPathSchema });
export type TlsFiles = z.infer<typeof tlsSchema>;

const userName = '[A-Za-z0-9_][A-Za-z0-9_.-]*';
const sshFileSchema = workerPathSchema.regex(
  /^[^"\\$%]+$/,
  'expected a path without quotation marks, backslashes, "$" and "%", which ssh would read',
);

const sshSchema = z.strictObject({
  user: z
    .string()
    .regex(new RegExp(`^${userName}$`), 'expected a user name')
    .optional(),
  port: z.number().int().min(1).max(65_535).optional(),
  /** Whether every command is run with `sudo -n`. */
  sudo: z.boolean().default(false),
  /** A private key. Default: the keys that the worker's own ssh would use. */
  identityFile: sshFileSchema.optional(),
  /** Default: the worker's own file. A host that isn't in the file is refused. */
  knownHostsFile: sshFileSchema.optional(),
  /** A host to connect through. If there is more than one, put them into the worker's ~/.ssh/config. */
  jump: z
    .string()
    .regex(
      new RegExp(
        `^(?:${userName}@)?(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{1,5})?$`,
      ),
      'expected one host, as in bastion, core@bastion or core@bastion:2222',
    )
    .optional(),
});
export type SshSettings = z.infer<typeof sshSchema>;

export const connectionSchema = z.union(
  [z.literal('local'), z.strictObject({ ssh: sshSchema })],
  'expected "local" or {ssh: {user: ..., port: ..., sudo: ...}}',
);
export type Connection = z.infer<typeof connectionSchema>;

export const nodeSchema = z.strictObject({
  name: nameSchema,
  address: addressSchema,
  connection: connectionSchema.default('local'),
  /** The queue that a worker on the node itself polls; it runs the steps of this node. */
  taskQueue: nameSchema.optional(),
  etcd: z
    .strictObject({
      /** The member's name in etcd. Default: the node's name. */
      memberName: nameSchema.optional(),
      clientUrl: urlSchema.optional(),
      peerUrl: urlSchema.optional(),
      dataDir: absolutePathSchema.optional(),
      /** The etcdutl on the node. Default: Salvor looks for it. */
      etcdutl: absolutePathSchema.optional(),
      /**
       * The file that sets the member's initial cluster: a unit, an environment file, etcd's own file or a script.
       * Salvor rewrites the setting when it replaces the member.
       */
      configuration: absolutePathSchema.optional(),
      service: serviceSchema.optional(),
    })
    .optional(),
  apiServer: z
    .strictObject({ url: urlSchema.optional(), ca: workerPathSchema.optional(), service: serviceSchema.optional() })
    .optional(),
});

/** A node with every default filled in. */
export interface ClusterNode {
  name: string;
  address: string;
  connection: Connection;
  taskQueue?: string;
  etcd: {
    memberName: string;
    clientUrl: string;
    peerUrl: string;
    dataDir: string;
    etcdutl?: string;
    configuration?: string;
    service?: Service;
  };
  /** Absent for a cluster without Kubernetes. */
  apiServer?: { url: string; ca?: string; service?: Service };
}

/** The commands of a service. The presets use the commands that a person would type. */
export function serviceCommands(service: z.infer<typeof serviceSchema>): Service {
  if ('systemd' in service) {
    const unit = service.systemd;
    return {
      start: ['systemctl', 'start', unit],
      stop: ['systemctl', 'stop', unit],
      // Only the printed word distinguishes a unit that is still deactivating from a stopped one; both exit 3.
      status: ['systemctl', 'is-active', unit],
    };
  }
  if ('docker' in service) return containerCommands('docker', service.docker);
  if ('podman' in service) return containerCommands('podman', service.podman);
  if ('nerdctl' in service) return containerCommands('nerdctl', service.nerdctl);
  return service;
}

/**
 * The three programs take the same arguments. The state is printed because the exit code is 0 for a stopped container
 * too.
 */
function containerCommands(program: 'docker' | 'podman' | 'nerdctl', container: string): Service {
  return {
    start: [program, 'start', container],
    stop: [program, 'stop', container],
    status: [program, 'container', 'inspect', '--format={{.State.Status}}', container],
  };
}
