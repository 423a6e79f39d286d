/**
 * The checks that need no worker: this machine, the connection to Temporal, and the configuration if this machine has
 * it.
 */
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { findConfiguration } from '../adapters/configuration/find.ts';
import { type LoadedConfiguration, readConfiguration } from '../adapters/configuration/load.ts';
import { formatProblem } from '../domain/configuration/resolve.ts';
import type { Configuration } from '../domain/configuration/schema.ts';
import { messageOf } from '../domain/errors.ts';
import type { SalvorClient } from '../client/salvor.ts';
import { missingAttributes } from '../client/setup.ts';
import { isPolling } from '../client/workers.ts';
import type { Check } from './render/checks.ts';
import { formatAge } from './render/format.ts';

const NODE_VERSION = [22, 19] as const;

/** Checks Node.js itself. `version` looks like `24.21.0`. */
export function checkNodeVersion(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > NODE_VERSION[0] || (major === NODE_VERSION[0] && minor >= NODE_VERSION[1]);
  return {
    name: 'Node.js',
    ok,
    seen: version,
    ...(!ok && { advice: `install Node.js ${NODE_VERSION.join('.')} or newer` }),
  };
}

/** Checks the namespace, the search attributes and a worker, in this order because each needs the one before it. */
export async function checkTemporal(client: SalvorClient, now: Date): Promise<Check[]> {
  const { address, namespace } = client.place;
  const info = await client.temporal.workflowService.getSystemInfo({});
  const reached = {
    name: 'Temporal',
    ok: true,
    seen: `${address}, server ${info.serverVersion || 'of unknown version'}`,
  };
  const missing = await missingAttributes(client.temporal, namespace);
  const setUp: Check = {
    name: 'Temporal is set up',
    ok: missing?.length === 0,
    seen: missing === undefined ? `no namespace "${namespace}"` : `namespace "${namespace}"`,
    ...(missing?.length !== 0 && { advice: 'run: salvor setup' }),
  };
  if (missing === undefined) return [reached, setUp];
  if (missing.length > 0) setUp.seen += ` without the search attributes ${missing.join(', ')}`;
  return [reached, setUp, checkWorker(client.taskQueue, await client.lastWorkerPoll(), now)];
}

/** Checks that a worker polls the task queue. */
export function checkWorker(taskQueue: string, polledAt: Date | undefined, now: Date): Check {
  const ok = isPolling(polledAt, now);
  const seen = polledAt === undefined ? 'no worker is polling' : `last polled ${formatAge(polledAt, now)}`;
  return {
    name: 'worker',
    ok,
    seen: `task queue "${taskQueue}": ${seen}`,
    ...(!ok && { advice: 'start one on a machine that has the configuration: salvor worker' }),
  };
}

/** Checks the configuration if this machine has it. Only the workers need it, so its absence is not a fault. */
export async function checkConfigurationHere(
  given?: string,
): Promise<{ checks: Check[]; configuration: Configuration | undefined }> {
  const path = await findConfiguration(given);
  if (path === undefined) {
    const seen = 'not on this machine; the workers have it';
    return { checks: [{ name: 'configuration', ok: true, seen }], configuration: undefined };
  }
  let loaded: LoadedConfiguration;
  try {
    loaded = await readConfiguration(path);
  } catch (error) {
    return { checks: [{ name: 'configuration', ok: false, seen: messageOf(error) }], configuration: undefined };
  }
  const { configuration, problems, warnings } = loaded;
  const advice = [...problems, ...warnings].map((problem) => formatProblem(problem)).join('; ');
  const seen =
    configuration === undefined
      ? `${path} has ${problems.length} problem${problems.length === 1 ? '' : 's'}`
      : `${path}: ${Object.keys(configuration.clusters).join(', ') || 'no clusters'}`;
  const check = { name: 'configuration', ok: configuration !== undefined, seen, ...(advice && { advice }) };
  return { checks: [check], configuration };
}

/** Checks that Temporal does not run on a cluster that it restores: it would stop in the middle of the restore. */
export async function checkTemporalApart(temporalAddress: string, configuration: Configuration): Promise<Check[]> {
  const host = hostOf(temporalAddress);
  const addresses = await addressesOf(host);
  const here = addresses.some((address) => isLoopback(address));
  const temporal = new Set([host, ...addresses, ...(here ? ownAddresses() : [])]);
  const checks: Check[] = [];
  for (const [name, cluster] of Object.entries(configuration.clusters)) {
    for (const node of cluster.nodes) {
      const same = [node.address, ...(await addressesOf(node.address))].find(
        (address) => temporal.has(address) || (here && isLoopback(address)),
      );
      if (same !== undefined) checks.push(sameMachine(name, node.name, temporalAddress, same));
    }
  }
  if (checks.length > 0) return checks;
  return [{ name: 'Temporal is apart', ok: true, seen: `${host} is not a node of any cluster` }];
}

function sameMachine(cluster: string, node: string, temporalAddress: string, address: string): Check {
  const name = `Temporal is apart from ${cluster}`;
  const seen = `Temporal (${temporalAddress}) and node ${node} are the same machine, ${address}`;
  // If everything runs on one machine, as in the playground, there is no other place for Temporal.
  if (isLoopback(address))
    return { name, ok: true, seen, advice: 'fine for a trial, but not for a cluster that you need' };
  return { name, ok: false, seen, advice: 'Temporal must not run on the cluster that it restores: move it elsewhere' };
}

/** The host of `host:port` or `[ipv6]:port`. */
export function hostOf(address: string): string {
  return /^\[(?<ipv6>.+)\](?::\d+)?$/.exec(address)?.groups?.['ipv6'] ?? address.replace(/:\d+$/, '');
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    // If only the workers can resolve a name, it can't be the name of this Temporal server.
    return [];
  }
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address.startsWith('127.');
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
}
