/** A real SSH server on loopback, with its own keys, that lets in the user who runs the tests. */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runProcess } from '../../adapters/hosts/process.ts';
import type { ClusterNode, SshSettings } from '../../domain/configuration/nodes.ts';

const PROGRAM = '/usr/sbin/sshd';
const START_MS = 20_000;

export interface Sshd {
  directory: string;
  port: number;
  settings: SshSettings;
  node: ClusterNode;
  /** The log so far. */
  log(): Promise<string>;
  /** Ends the server and every connection to it. */
  stop(): Promise<void>;
}

/** Why the server can't run here; undefined if it can. */
export async function sshdMissing(): Promise<string | undefined> {
  for (const program of [PROGRAM, '/usr/bin/ssh', '/usr/bin/ssh-keygen']) {
    const found = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!found) return `there is no ${program}; playground/lab/packages.sh installs it`;
  }
  return undefined;
}

/** @param lines more lines of its configuration */
export async function startSshd(lines: string[] = []): Promise<Sshd> {
  const directory = await mkdtemp(join(tmpdir(), 'salvor-sshd-'));
  const at = (name: string) => join(directory, name);
  const signal = AbortSignal.timeout(START_MS);
  for (const name of ['host-key', 'client-key']) {
    const made = await runProcess(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', at(name)], 'here', { signal });
    if (made.exitCode !== 0) throw new Error(`ssh-keygen: ${made.stderr}`);
  }
  const port = await freePort();
  const [type, key] = (await readFile(at('host-key.pub'), 'utf8')).split(' ');
  await writeFile(at('known_hosts'), `[127.0.0.1]:${port} ${type} ${key}\n`);
  await writeFile(
    at('config'),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${at('host-key')}`,
      `AuthorizedKeysFile ${at('client-key.pub')}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
      ...lines,
      '',
    ].join('\n'),
  );
  // Run by root, sshd insists on this directory.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const child = spawn(PROGRAM, ['-D', '-f', at('config'), '-E', at('log')], { detached: true, stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const log = () => readFile(at('log'), 'utf8').catch(() => '');
  while (!(await log()).includes('Server listening')) {
    if (child.exitCode !== null) throw new Error(`sshd did not start: ${await log()}`);
    await delay(20, undefined, { signal });
  }
  const { username } = userInfo();
  const settings: SshSettings = {
    user: username,
    port,
    sudo: false,
    identityFile: at('client-key'),
    knownHostsFile: at('known_hosts'),
  };
  return {
    directory,
    port,
    settings,
    node: {
      name: 'm1',
      address: '127.0.0.1',
      connection: { ssh: settings },
      etcd: {
        memberName: 'm1',
        clientUrl: 'http://127.0.0.1:2379',
        peerUrl: 'http://127.0.0.1:2380',
        dataDir: '/var/lib/etcd',
      },
    },
    log,
    async stop() {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        // Each connection has a process in its own session.
        const connections = await runProcess(['pgrep', '--parent', String(child.pid)], 'here', {
          signal: AbortSignal.timeout(START_MS),
        });
        for (const pid of [child.pid, ...connections.stdout.split('\n').filter(Boolean).map(Number)]) {
          process.kill(pid, 'SIGKILL');
        }
      }
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
