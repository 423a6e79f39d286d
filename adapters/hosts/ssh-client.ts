/**
 * How the system's OpenSSH client is called: everything that the team has set up for it (agents, hardware keys,
 * ~/.ssh/config) applies here too.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterNode, SshSettings } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { cacheDirectory } from '../environment.ts';
import { shellLine } from './quote.ts';

/** A way to a node: the arguments of `ssh`, to which the far command is added. */
export interface SshRoute {
  /** The node's name, for messages. */
  node: string;
  /** As a person would write it: `core@10.0.0.1:22`. */
  destination: string;
  settings: SshSettings;
  arguments: string[];
  /** The same arguments for a connection that isn't shared. */
  alone: string[];
}

/** No prompts and no surprises; a lost peer is noticed within 15 s. */
const OPTIONS = {
  BatchMode: 'yes',
  StrictHostKeyChecking: 'yes',
  UpdateHostKeys: 'no',
  ConnectTimeout: '10',
  ServerAliveInterval: '5',
  ServerAliveCountMax: '3',
  LogLevel: 'ERROR',
  RequestTTY: 'no',
  RemoteCommand: 'none',
  PermitLocalCommand: 'no',
  ForwardAgent: 'no',
  ForwardX11: 'no',
  ClearAllForwardings: 'yes',
};

/** How long an unused connection is kept. */
const PERSIST_S = 60;

/** sockaddr_un has room for 108 bytes; ssh adds 17 to the name while it makes the socket. */
const SOCKET_PATH_BYTES = 90;

/**
 * The way to a node. All commands share one connection, whose socket is in the worker's cache.
 * @throws SalvorError `InvalidConfiguration` for a path that ssh's options can't hold
 */
export async function sshRoute(node: ClusterNode, settings: SshSettings): Promise<SshRoute> {
  const { user, port, jump } = settings;
  const host = node.address.includes(':') ? `[${node.address}]` : node.address;
  const destination = `${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}`;
  const keys = keyOptions(node.name, settings);
  const login = [...(user === undefined ? [] : ['-l', user]), ...(port === undefined ? [] : ['-p', String(port)])];
  const way = [...optionsOf(OPTIONS), ...keys, ...(jump === undefined ? [] : jumpOptions(jump, keys)), ...login];
  const socket = await socketPath([node.address, ...way].join('\n'));
  const alone = optionsOf({ ControlMaster: 'no', ControlPath: 'none' });
  const sharing =
    socket === undefined
      ? alone
      : optionsOf({ ControlMaster: 'auto', ControlPath: `"${socket}"`, ControlPersist: String(PERSIST_S) });
  const target = ['-T', '--', node.address];
  return {
    node: node.name,
    destination,
    settings,
    arguments: [...way, ...sharing, ...target],
    alone: [...way, ...alone, ...target],
  };
}

function keyOptions(node: string, { identityFile, knownHostsFile }: SshSettings): string[] {
  return optionsOf({
    ...(identityFile !== undefined && { IdentityFile: optionPath(node, identityFile), IdentitiesOnly: 'yes' }),
    ...(knownHostsFile !== undefined && { UserKnownHostsFile: optionPath(node, knownHostsFile) }),
  });
}

/** `ProxyJump` would not use the key and the known hosts. */
function jumpOptions(jump: string, keys: string[]): string[] {
  // ssh replaces %h and %p by the node's address and port, and runs the line in a shell.
  const line = shellLine(['ssh', ...optionsOf(OPTIONS), ...keys, '-o', 'ControlPath=none']);
  return ['-o', `ProxyCommand=${line} -W '[%h]:%p' -- ${shellLine([`ssh://${jump}`])}`];
}

function optionsOf(options: Record<string, string>): string[] {
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** ssh takes several paths in one option, and expands percent signs and variables. */
function optionPath(node: string, path: string): string {
  if (!/["\\$%]/.test(path)) return `"${path}"`;
  throw new SalvorError(
    'InvalidConfiguration',
    `${node}: ssh can't take the path ${path}: it contains a quotation mark, "\\", "$" or "%"; move the file to another path`,
  );
}

/** Undefined when its folder's name is too long: each command then has a connection of its own. */
async function socketPath(identity: string): Promise<string | undefined> {
  const folder = join(cacheDirectory(), 'ssh');
  const path = join(folder, createHash('sha256').update(identity).digest('hex').slice(0, 12));
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES || /["\\$%]/.test(path)) return undefined;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Anyone who can use the socket can use the connection.
  await chmod(folder, 0o700);
  return path;
}
