/** Real etcd members, for tests of the adapters. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openMember } from '../../adapters/etcd/client.ts';
import type { MemberEndpoint } from '../../adapters/etcd/member.ts';
import { provideTool } from '../../adapters/binaries/binaries.ts';

const READY_MS = 60_000;

/** The place of a member; made before the member, so that a snapshot can be restored for it. */
export interface MemberPlan {
  name: string;
  clientUrl: string;
  peerUrl: string;
  dataDir: string;
}

export interface TestMember extends MemberPlan {
  pid(): number;
  /** Restarts the member on its data directory and waits until it serves. */
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface TestCluster {
  members: TestMember[];
  stop(): Promise<void>;
}

/** Finds free ports and directories for the given number of members. */
export async function planMembers(count: number, directory: string, prefix = 'm'): Promise<MemberPlan[]> {
  const ports = await freePorts(count * 2);
  return Array.from({ length: count }, (_, index) => ({
    name: `${prefix}${index + 1}`,
    clientUrl: `http://127.0.0.1:${ports[index * 2]}`,
    peerUrl: `http://127.0.0.1:${ports[index * 2 + 1]}`,
    dataDir: join(directory, `${prefix}${index + 1}`),
  }));
}

/**
 * Starts a cluster and waits until every member knows a leader.
 * @param options.plan members whose data directories exist already, as after a restore
 */
export async function startEtcdCluster(options: {
  members: 1 | 3;
  directory: string;
  plan?: MemberPlan[];
  flags?: string[];
  /** With these it is asked whether it serves; the flags are to say how. */
  tls?: MemberEndpoint['tls'];
}): Promise<TestCluster> {
  const plan = options.plan ?? (await planMembers(options.members, options.directory));
  const binary = (await provideTool('etcd')).path;
  const initialCluster = plan.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  const members = plan.map((member) => createMember(member, binary, initialCluster, options));
  const stop = async () => {
    await Promise.all(members.map(async (member) => await member.kill()));
  };
  try {
    await Promise.all(members.map(async (member) => await member.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { members, stop };
}

function createMember(
  plan: MemberPlan,
  binary: string,
  initialCluster: string,
  { flags = [], tls }: { flags?: string[]; tls?: MemberEndpoint['tls'] },
): TestMember {
  let child: ChildProcess | undefined;
  const logFile = `${plan.dataDir}.log`;

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    // A member that a test stopped with SIGSTOP ends only after this.
    child.kill('SIGCONT');
    await exit;
  }

  return {
    ...plan,
    pid() {
      if (child?.pid === undefined) throw new Error(`${plan.name} was never started`);
      return child.pid;
    },
    async start() {
      const log = await open(logFile, 'a');
      child = spawn(
        binary,
        [
          `--name=${plan.name}`,
          `--data-dir=${plan.dataDir}`,
          `--listen-client-urls=${plan.clientUrl}`,
          `--advertise-client-urls=${plan.clientUrl}`,
          `--listen-peer-urls=${plan.peerUrl}`,
          `--initial-advertise-peer-urls=${plan.peerUrl}`,
          `--initial-cluster=${initialCluster}`,
          '--unsafe-no-fsync',
          ...flags,
        ],
        { stdio: ['ignore', log.fd, log.fd] },
      );
      await log.close();
      await untilServing({ node: plan.name, clientUrl: plan.clientUrl, ...(tls && { tls }) }, child, logFile);
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

async function untilServing(endpoint: MemberEndpoint, child: ChildProcess, logFile: string): Promise<void> {
  const deadlineMs = Date.now() + READY_MS;
  const member = await openMember(endpoint);
  try {
    for (;;) {
      const status = await member.status(AbortSignal.timeout(5_000)).catch(() => undefined);
      if (status !== undefined && status.leaderId !== '0') return;
      if (child.exitCode !== null || Date.now() > deadlineMs) {
        throw new Error(`${endpoint.node} doesn't serve:\n${(await readFile(logFile, 'utf8')).slice(-2_000)}`);
      }
      await sleep(100);
    }
  } finally {
    member.close();
  }
}

/** Finds ports that were all free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
    return address.port;
  });
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    }),
  );
  return ports;
}
