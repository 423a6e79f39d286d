/** The files on the disk of a new node, before its first boot. */
import { randomBytes } from 'node:crypto';
import { chmod, chown, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './commands.ts';
import { ENDPOINT, EVERY_NODE, type LabPaths, type NodeNumber, USER } from './layout.ts';

/** The folder whose files are laid over this machine's own unchanged. */
export const NODE_FOLDER = join(import.meta.dirname, 'node');

const ON_PATH = ['kubelet', 'kubeadm', 'kubectl', 'crictl'] as const;
/**
 * Folders of this machine that a node doesn't see: its own begin empty. `etc/systemd/system` is among them so that none
 * of this machine's services run.
 */
const OWN_FOLDERS = ['etc/systemd/system', 'root', 'home', 'var/log', 'var/lib/etcd', 'etc/kubernetes'] as const;

/** Makes the keys that stay the same whatever happens to the nodes: the operator's, and each node's own. */
export async function provideKeys(paths: LabPaths): Promise<void> {
  const lines: string[] = [];
  const hosts: string[] = [];
  await mkdir(join(paths.sshKey, '..'), { recursive: true, mode: 0o700 });
  await provideKey(paths.sshKey, 'operator');
  for (const number of EVERY_NODE) {
    const { hostKey, name, address } = paths.node(number);
    await provideKey(hostKey, name);
    const [type, key] = (await readFile(`${hostKey}.pub`, 'utf8')).split(' ');
    lines.push(`${address},${name} ${type} ${key}\n`);
    hosts.push(`Host ${name}\n  HostName ${address}\n`);
  }
  const options = [`User ${USER.name}`, `IdentityFile ${paths.sshKey}`, 'IdentitiesOnly yes', 'BatchMode yes'];
  const known = [`UserKnownHostsFile ${paths.knownHosts}`, 'StrictHostKeyChecking yes'];
  const all = `Host n? 10.123.0.*\n  ${[...options, ...known].join('\n  ')}\n`;
  await writeFile(paths.sshConfiguration, `${hosts.join('')}${all}`, { mode: 0o600 });
  await writeFile(paths.knownHosts, lines.join(''), { mode: 0o600 });
}

async function provideKey(path: string, comment: string): Promise<void> {
  if ((await readFile(`${path}.pub`, 'utf8').catch(() => '')) !== '') return;
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path]);
}

/** Writes a new node's files. */
export async function createNodeFiles(paths: LabPaths, number: NodeNumber): Promise<void> {
  const { directory, upper, name, hostKey } = paths.node(number);
  for (const folder of ['upper', 'work', 'root', 'containerd', 'kubelet']) {
    await mkdir(join(directory, folder), { recursive: true, mode: 0o755 });
  }
  for (const folder of OWN_FOLDERS) {
    await mkdir(join(upper, folder), { recursive: true });
    await run(['setfattr', '-n', 'trusted.overlay.opaque', '-v', 'y', join(upper, folder)]);
  }
  await chmod(join(upper, 'root'), 0o700);
  await chmod(join(upper, 'var/lib/etcd'), 0o700);
  // Without it the journal is kept in memory, and a power loss would erase it.
  await mkdir(join(upper, 'var/log/journal'));
  await run(['cp', '-R', '--no-dereference', '--preserve=mode', `${NODE_FOLDER}/.`, upper]);
  await chmod(join(upper, 'etc/sudoers.d/core'), 0o440);
  await mkdir(join(upper, 'usr/local/bin'), { recursive: true });
  for (const program of ON_PATH) await symlink(`/opt/lab/bin/${program}`, join(upper, 'usr/local/bin', program));
  for (const folder of ['bin', 'images']) await mkdir(join(upper, 'opt/lab', folder));

  await writeFile(join(upper, 'etc/hostname'), `${name}\n`);
  await writeFile(join(upper, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
  await writeFile(join(upper, 'etc/resolv.conf'), '');
  // Until every node has joined, the first one is the cluster.
  await writeHosts(paths, number, 1);

  await copyFile(hostKey, join(upper, 'etc/ssh/ssh_host_ed25519_key'));
  await chmod(join(upper, 'etc/ssh/ssh_host_ed25519_key'), 0o600);
  await copyFile(`${hostKey}.pub`, join(upper, 'etc/ssh/ssh_host_ed25519_key.pub'));
  await createUser(upper, `${paths.sshKey}.pub`);
}

/** Sets which node's kube-apiserver a node reaches as {@link ENDPOINT}. The node must be down. */
export async function writeHosts(paths: LabPaths, number: NodeNumber, endpoint: NodeNumber): Promise<void> {
  const names = EVERY_NODE.map((other) => `${paths.node(other).address} ${paths.node(other).name}`);
  const lines = ['127.0.0.1 localhost', ...names, `${paths.node(endpoint).address} ${ENDPOINT}`];
  await writeFile(join(paths.node(number).upper, 'etc/hosts'), `${lines.join('\n')}\n`);
}

async function createUser(upper: string, publicKey: string): Promise<void> {
  for (const file of ['passwd', 'group', 'shadow', 'gshadow', 'login.defs']) {
    await run(['cp', '--preserve=mode,ownership', `/etc/${file}`, join(upper, 'etc', file)]);
  }
  // A password that nothing matches; a locked account might be refused entirely.
  const account = ['--password', '*', '--shell', '/bin/bash', '--uid', String(USER.id), '--user-group', USER.name];
  await run(['useradd', '--prefix', upper, '--create-home', ...account]);
  const home = join(upper, 'home', USER.name);
  await mkdir(join(home, '.ssh'), { mode: 0o700, recursive: true });
  await copyFile(publicKey, join(home, '.ssh/authorized_keys'));
  for (const path of [home, join(home, '.ssh'), join(home, '.ssh/authorized_keys')])
    await chown(path, USER.id, USER.id);
}
