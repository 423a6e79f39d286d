/** Connections of this machine are ended for real, which needs root, `ss`, and a kernel that can. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { endMutualWaits } from '../../adapters/etcd/mutual-waits.ts';
import { type Cluster, parseConfiguration, resolveCluster } from '../../domain/configuration/resolve.ts';
import type { Flavour } from '../../domain/flavours/index.ts';
import { until } from '../support/until.ts';

const NODES = ['m1', 'm2', 'm3'] as const;
const signal = AbortSignal.timeout(120_000);
const servers: Server[] = [];
const sockets: Socket[] = [];

/** They take connections and say nothing, as members that have started and don't serve yet. */
before(async () => {
  for (const _ of NODES) {
    const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
  }
});
after(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function clusterOf(flavour: Flavour): Cluster {
  const service = flavour === 'kubeadm' ? {} : { service: { systemd: 'etcd' } };
  const nodes = servers.map((server, index) => ({
    name: `m${index + 1}`,
    address: `127.0.0.${index + 1}`,
    etcd: { peerUrl: `https://127.0.0.1:${portOf(server)}`, dataDir: `/nowhere/m${index + 1}`, ...service },
  }));
  const stores = { local: { type: 'filesystem', path: '/nowhere' } };
  return resolveCluster(
    parseConfiguration({ stores, clusters: { lab: { flavour, stores: ['local'], nodes } } }, 'test'),
    'lab',
  );
}

/** A question to each member, in their order. */
async function askAll(): Promise<Socket[]> {
  const asked = servers.map((server) => connect(portOf(server), '127.0.0.1').on('error', () => undefined));
  sockets.push(...asked);
  await Promise.all(asked.map(async (socket) => await once(socket, 'connect')));
  return asked;
}

function hasEnded(socket: Socket | undefined): boolean {
  return socket?.errored !== null;
}

async function whyNot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root may end connections';
  const [, second] = await askAll();
  await endMutualWaits(clusterOf('kubeadm'), ['m1', 'm2'], signal);
  const ended = await until('a connection ends', async () => hasEnded(second), 5_000).catch(() => false);
  return ended ? undefined : 'there is no `ss`, or the kernel has no INET_DIAG_DESTROY';
}

test('silent members no longer wait for each other; who answers is left alone', async (context) => {
  const missing = await whyNot();
  if (missing !== undefined) return context.skip(missing);
  const [first, second, third] = await askAll();
  await endMutualWaits(clusterOf('kubeadm'), ['m1', 'm2'], signal);
  await until('both questions have ended', async () => hasEnded(first) && hasEnded(second));
  assert.equal(hasEnded(third), false);
});

test('one silent member has nobody to wait for, and members of other flavours are not minded', async () => {
  const asked = await askAll();
  await endMutualWaits(clusterOf('kubeadm'), ['m2'], signal);
  await endMutualWaits(clusterOf('etcd'), [...NODES], signal);
  const answered = servers.map(async (server) => await once(server, 'connection'));
  // What comes later is there: what came before would have ended.
  await Promise.all([askAll(), ...answered]);
  assert.deepEqual(asked.map(hasEnded), [false, false, false]);
});
