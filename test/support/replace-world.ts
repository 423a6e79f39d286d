/** Helpers for tests that replace a member of a playground. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import type { MemberEntry } from '../../domain/members/member-entry.ts';
import type { Progress } from '../../domain/operations/progress.ts';
import type { ListMembersReport } from '../../domain/operations/list-members.ts';
import type { ReplaceMemberReport } from '../../domain/operations/replace-member.ts';
import { bringUpPart, killPart, stopPart } from '../../playground/handle.ts';
import { startCheckingWriter } from './checking-writer.ts';
import { freePorts } from './etcd-cluster.ts';
import { until } from './until.ts';
import { PLAYGROUND_CLUSTER as cluster, type World } from './world.ts';

/**
 * An election or a handover takes much less time; a cluster without a quorum would be silent for the whole replacement.
 */
export const GAP_MS = 10_000;

/** Stops a node's etcd and destroys its data directory. */
export async function destroyMember({ playground }: World, node: string): Promise<void> {
  await stopPart(playground, `etcd-${node}`);
  await rm(nodeOf({ playground }, node).dataDir, { recursive: true, force: true });
}

export function nodeOf({ playground }: Pick<World, 'playground'>, name: string) {
  const node = playground.nodes.find((each) => each.name === name);
  assert.ok(node);
  return node;
}

/**
 * Does something while a client writes to and reads from the members of some nodes. Fails if the cluster was
 * unavailable to the client, or if a member lacks a write that etcd acknowledged.
 * @param checked client URLs of the members that must have every write; default: every node's
 */
export async function underWrites<T>(
  { playground }: World,
  nodes: string[],
  work: () => Promise<T>,
  checked: string[] = playground.nodes.map(({ clientUrl }) => clientUrl),
): Promise<T> {
  const [rootCertificate, certChain, privateKey] = await Promise.all(
    [playground.etcdTls.ca, playground.etcdTls.cert, playground.etcdTls.key].map(async (file) => await readFile(file)),
  );
  assert.ok(rootCertificate && certChain && privateKey);
  const urls = nodes.map((name) => nodeOf({ playground }, name).clientUrl);
  const writer = startCheckingWriter(urls, { credentials: { rootCertificate, certChain, privateKey } });
  try {
    const result = await work();
    const { acknowledged, writeGapMs, readGapMs } = await writer.stop();
    assert.ok(acknowledged > 20, `it wrote ${acknowledged} values`);
    assert.ok(writeGapMs < GAP_MS, `no write was taken for ${writeGapMs} ms`);
    assert.ok(readGapMs < GAP_MS, `no read was answered for ${readGapMs} ms`);
    for (const clientUrl of checked) await writer.checkMember(clientUrl);
    return result;
  } finally {
    await writer.stop().catch(() => undefined);
    writer.close();
  }
}

export async function replace(world: World, input: object = {}): Promise<ReplaceMemberReport> {
  return await world.run<ReplaceMemberReport>('replaceMember', { cluster, confirm: cluster, ...input });
}

export async function members(world: World): Promise<MemberEntry[]> {
  return (await world.run<ListMembersReport>('listMembers', { cluster })).members;
}

export function states(entries: MemberEntry[]): string[] {
  return entries.map(({ node, name, state }) => `${node ?? name} ${state}`);
}

/** Asserts the exact number of members, all healthy, voting, and with the same keys. */
export async function checkHealthy(world: World, nodes = ['m1', 'm2', 'm3']): Promise<void> {
  const found = await members(world);
  assert.deepEqual(
    found.map(({ node, state, hash, alarms }) => ({ node, state, hash, alarms })),
    nodes.map((node) => ({ node, state: 'healthy', hash: 'agrees', alarms: [] })),
  );
  const { members: listed } = await world.etcd(nodes[0]).cluster.memberList({ linearizable: true });
  assert.deepEqual(
    listed.map(({ isLearner }) => isLearner),
    nodes.map(() => false),
  );
}

/** Waits until a step is running or done. */
export async function untilStep(handle: WorkflowHandle, name: string): Promise<void> {
  await until(`the step "${name}"`, async () => {
    const { steps } = await handle.query<Progress>('progress').catch(() => ({ steps: [] }));
    return steps.some((step) => step.name === name && (step.state === 'running' || step.state === 'done'));
  });
}

/** Kills the worker once a step is running, starts another one, and waits for the report. */
export async function replaceKillingAt(world: World, step: string): Promise<ReplaceMemberReport> {
  const handle = await world.start('replaceMember', { cluster, confirm: cluster });
  await untilStep(handle, step);
  await killPart(world.playground, 'worker', 'SIGKILL');
  await bringUpPart(world.playground, 'worker');
  return (await handle.result()) as ReplaceMemberReport;
}

/**
 * Puts a node's etcd under a supervisor that restarts it one second after it ends, as `restart: always` does.
 * @returns a function that ends the supervisor and leaves the member as it is
 */
export async function superviseMember(world: World, node: string): Promise<() => Promise<void>> {
  const { etcdService } = nodeOf(world, node);
  const script = join(world.playground.directory, `supervise-${node}`);
  const record = `${script}.pid`;
  await writeFile(
    script,
    `#!/bin/sh
alive() { { read -r pid <'${record}'; } 2>/dev/null && kill -0 "$pid" 2>/dev/null; }
case "$1" in
  start) alive || { SALVOR_PLAYGROUND='${world.playground.directory}' setsid sh -c 'echo $$ >"$0"; while :; do "$1" start; sleep 1; done' '${record}' '${etcdService}' </dev/null >/dev/null 2>&1 & } ;
    for turn in 1 2 3 4 5 6 7 8 9 10; do '${etcdService}' status && exit 0; sleep 0.3; done; exit 0 ;;
  stop) ! alive || kill -KILL "$pid"; rm -f '${record}'; '${etcdService}' stop ;;
  status) '${etcdService}' status ;;
  leave) ! alive || kill -KILL "$pid"; rm -f '${record}' ;;
esac
`,
    { mode: 0o755 },
  );
  await world.configure(({ clusters }) => {
    const etcd = clusters[cluster]?.nodes.find(({ name }) => name === node)?.['etcd'] as { service: object };
    etcd.service = { start: [script, 'start'], stop: [script, 'stop'], status: [script, 'status'] };
  });
  return async () => {
    await promisify(execFile)(script, ['leave']);
    await world.configure(({ clusters }) => {
      const etcd = clusters[cluster]?.nodes.find(({ name }) => name === node)?.['etcd'] as { service: object };
      etcd.service = { start: [etcdService, 'start'], stop: [etcdService, 'stop'], status: [etcdService, 'status'] };
    });
  };
}

/**
 * Puts a new node in another's place: its etcd is set up but stopped, with its own ports and data directory, and the
 * configuration names it instead of the old node.
 * @returns its client URL
 */
export async function putNodeInPlaceOf(world: World, old: string, name: string): Promise<string> {
  const { etcdService, clientUrl, dataDir } = nodeOf(world, old);
  const directory = join(world.playground.directory, 'nodes', name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const [clientPort, peerPort] = await freePorts(2);
  const text = await readFile(etcdService, 'utf8');
  const oldPeerUrl = /--initial-advertise-peer-urls=(https:[^'\s]+)/.exec(text)?.[1] ?? '';
  const urls = {
    clientUrl: clientUrl.replace(/\d+$/, String(clientPort)),
    peerUrl: oldPeerUrl.replace(/\d+$/, String(peerPort)),
  };
  const script = join(directory, 'etcd-service');
  const own = text
    .replaceAll(clientUrl, urls.clientUrl)
    .replaceAll(oldPeerUrl, urls.peerUrl)
    .replaceAll(dataDir, join(directory, 'etcd'))
    .replace(new RegExp(`--name=${old}\\b`), `--name=${name}`)
    .replace(/^record=.*$/m, `record='${join(directory, 'record')}'`)
    .replace(/^log=.*$/m, `log='${join(directory, 'log')}'`);
  await writeFile(script, own, { mode: 0o700 });
  await world.configure(({ clusters }) => {
    const node = clusters[cluster]?.nodes.find((each) => each['name'] === old);
    assert.ok(node);
    node['name'] = name;
    node['etcd'] = {
      ...urls,
      dataDir: join(directory, 'etcd'),
      configuration: script,
      service: { start: [script, 'start'], stop: [script, 'stop'], status: [script, 'status'] },
    };
  });
  return urls.clientUrl;
}
