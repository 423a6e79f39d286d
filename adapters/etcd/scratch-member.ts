/** A single etcd on a restored data directory, on this machine, for as long as a drill reads it. */
import { provideTool } from '../binaries/binaries.ts';
import { environment } from '../environment.ts';
import { startScratchProcess } from '../scratch/process.ts';
import { openMember } from './client.ts';

const START_MS = 60_000;

export interface ScratchEtcd {
  clientUrl: string;
  pid: number;
  /** Ends it and returns when it is gone. */
  stop(): Promise<void>;
}

export interface ScratchOptions {
  /** The data directory that `restoreSnapshot` made for a single member. `<dataDir>.log` is written next to it. */
  dataDir: string;
  signal: AbortSignal;
  /** The path of the etcd binary; by default the one on this machine, else a fetched one. */
  etcd?: string;
}

/**
 * Starts etcd and returns when it serves. It listens on random loopback ports without TLS: anyone who may log in to
 * this machine can read it while it runs. It doesn't sync to disk, so its directory can't be used afterwards.
 * @throws SalvorError `ComponentStuck` when it doesn't serve within a minute, with the last lines of its log
 */
export async function startScratchEtcd({ dataDir, signal, etcd }: ScratchOptions): Promise<ScratchEtcd> {
  const binary = etcd ?? (await provideTool('etcd')).path;
  // With port 0 the system chooses a free port; the log says which.
  const anyPort = 'http://127.0.0.1:0';
  const { process, ready } = await startScratchProcess({
    name: 'the scratch etcd',
    argv: [
      binary,
      '--name=salvor-scratch',
      `--data-dir=${dataDir}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${anyPort}`,
      `--advertise-client-urls=${anyPort}`,
      `--listen-peer-urls=${anyPort}`,
    ],
    env: withoutEtcdSettings(),
    place: dataDir,
    deadlineMs: START_MS,
    signal,
    ready: async ({ log }) => {
      const clientUrl = servingAddress(await log());
      return clientUrl !== undefined && (await answers(clientUrl, signal)) ? clientUrl : undefined;
    },
  });
  return { clientUrl: ready, pid: process.pid, stop: async () => await process.stop() };
}

/** etcd also takes every flag from the environment, where the worker may have some for etcdctl. */
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
