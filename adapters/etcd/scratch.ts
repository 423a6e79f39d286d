/** A single etcd on a restored data directory, on this machine, for as long as a drill reads it. */
import { spawn } from 'node:child_process';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SalvorError } from '../../domain/errors.ts';
import { provideTool } from '../../tools/binaries.ts';
import { environment } from '../../tools/environment.ts';
import { lastLines } from '../hosts/process.ts';
import { openMember } from './client.ts';

const START_MS = 60_000;
const STOP_MS = 10_000;
const POLL_MS = 50;

export interface ScratchEtcd {
  clientUrl: string;
  pid: number;
  /** Ends it and returns when it is gone. */
  stop(): Promise<void>;
}

export interface ScratchOptions {
  /** As `restoreSnapshot` made it, for a single member. Beside it lie `<dataDir>.log` and, while it runs, `<dataDir>.pid`. */
  dataDir: string;
  signal: AbortSignal;
  /** The path of the etcd binary; without it the one that is at hand or can be had. */
  etcd?: string;
}

/**
 * Starts etcd and returns when it serves. It listens on random loopback ports without TLS: whoever may log in to this machine can
 * read it meanwhile. It doesn't sync to disk, so its directory is worth nothing afterwards. One that a killed process left on the same
 * directory is ended first.
 * @throws SalvorError `ComponentStuck` when it doesn't serve within a minute, with the last lines of its log
 */
export async function startScratchEtcd({ dataDir, signal, etcd }: ScratchOptions): Promise<ScratchEtcd> {
  const binary = etcd ?? (await provideTool('etcd')).path;
  signal.throwIfAborted();
  await endLeftover(dataDir);
  const logFile = `${dataDir}.log`;
  const child = await spawnEtcd(binary, dataDir, logFile);
  const { promise: ended, resolve: onEnd } = Promise.withResolvers<void>();
  child.once('error', () => onEnd());
  child.once('exit', () => onEnd());
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;

  async function stop(): Promise<void> {
    if (isRunning()) child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(kill);
    await rm(`${dataDir}.pid`, { force: true });
  }

  const { pid } = child;
  try {
    if (pid !== undefined) await writeFile(`${dataDir}.pid`, String(pid), { mode: 0o600 });
    const deadlineMs = Date.now() + START_MS;
    while (isRunning() && Date.now() < deadlineMs) {
      signal.throwIfAborted();
      const clientUrl = servingAddress(await readFile(logFile, 'utf8'));
      if (pid !== undefined && clientUrl !== undefined && (await answers(clientUrl, signal))) {
        return { clientUrl, pid, stop };
      }
      await sleep(POLL_MS);
    }
    const problem = isRunning() ? `doesn't serve after ${START_MS / 1_000} s` : 'ended at once';
    throw new SalvorError(
      'ComponentStuck',
      `the scratch etcd (${binary}) on ${dataDir} ${problem}; the end of its log:\n${lastLines(await readFile(logFile, 'utf8'))}`,
    );
  } catch (error) {
    await stop();
    throw error;
  }
}

async function spawnEtcd(binary: string, dataDir: string, logFile: string) {
  // A port of 0 lets the system choose a free one; the log says which.
  const anyPort = 'http://127.0.0.1:0';
  const log = await open(logFile, 'w', 0o600);
  try {
    return spawn(
      binary,
      [
        '--name=salvor-scratch',
        `--data-dir=${dataDir}`,
        '--unsafe-no-fsync',
        `--listen-client-urls=${anyPort}`,
        `--advertise-client-urls=${anyPort}`,
        `--listen-peer-urls=${anyPort}`,
      ],
      { stdio: ['ignore', log.fd, log.fd], detached: true, env: withoutEtcdSettings() },
    );
  } finally {
    await log.close();
  }
}

/** etcd takes every flag from the environment as well, and the worker may have some for etcdctl. */
function withoutEtcdSettings(): Record<string, string> {
  return Object.fromEntries(Object.entries(environment()).filter(([name]) => !/^ETCD(?:CTL)?_/.test(name)));
}

function servingAddress(log: string): string | undefined {
  const address = /"msg":"serving client traffic insecurely[^\n]*"address":"([^"]+)"/.exec(log)?.[1];
  return address && `http://${address}`;
}

async function answers(clientUrl: string, signal: AbortSignal): Promise<boolean> {
  const member = await openMember({ node: 'scratch', clientUrl });
  try {
    const { leaderId } = await member.status(signal);
    return leaderId !== '0';
  } catch {
    signal.throwIfAborted();
    return false;
  } finally {
    member.close();
  }
}

/** Ends the etcd of an earlier attempt, known by its command line: a process ID alone may belong to something else by now. */
async function endLeftover(dataDir: string): Promise<void> {
  const pid = Number(await readFile(`${dataDir}.pid`, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 1) return;
  const deadlineMs = Date.now() + STOP_MS;
  while ((await commandLine(pid)).includes(`--data-dir=${dataDir}`)) {
    if (Date.now() > deadlineMs) {
      throw new SalvorError(
        'ComponentStuck',
        `the etcd of an earlier attempt (process ${pid}) on ${dataDir} can't be ended`,
      );
    }
    process.kill(pid, 'SIGKILL');
    await sleep(POLL_MS);
  }
}

async function commandLine(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0');
}
