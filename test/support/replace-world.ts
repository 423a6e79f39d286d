/** What tests of a member's replacement do to a playground. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { ListMembersReport, MemberEntry, Progress, ReplaceMemberReport } from '../../domain/operations.ts';
import { bringUpPart, killPart, stopPart } from '../../playground/handle.ts';
import { startCheckingWriter } from './checking-writer.ts';
import { until } from './until.ts';
import { PLAYGROUND_CLUSTER as cluster, type World } from './world.ts';

/** An election and a member that hands over come to much less; a cluster without quorum would be silent for the whole replacement. */
export const GAP_MS = 10_000;

/** Ends a node's etcd and destroys its data directory. */
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
 * Does something while a client writes to the members of some nodes and reads from them. Fails when the cluster was away for the client, or when any member of
 * the playground lacks what etcd has acknowledged.
 */
export async function underWrites<T>({ playground }: World, nodes: string[], work: () => Promise<T>): Promise<T> {
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
    for (const { clientUrl } of playground.nodes) await writer.checkMember(clientUrl);
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

/** Exactly so many members, all healthy, with a vote, and with the same keys. */
export async function checkHealthy(world: World, nodes = ['m1', 'm2', 'm3']): Promise<void> {
  const found = await members(world);
  assert.deepEqual(
    found.map(({ node, state, hash, alarms }) => ({ node, state, hash, alarms })),
    nodes.map((node) => ({ node, state: 'healthy', hash: 'agrees', alarms: [] })),
  );
  const { members: listed } = await world.etcd(nodes[0]).cluster.memberList({ linearizable: true });
  assert.deepEqual(listed.map(({ isLearner }) => isLearner), nodes.map(() => false));
}

/** Waits until a step is under way, or done. */
export async function untilStep(handle: WorkflowHandle, name: string): Promise<void> {
  await until(`the step "${name}"`, async () => {
    const { steps } = await handle.query<Progress>('progress').catch(() => ({ steps: [] }));
    return steps.some((step) => step.name === name && (step.state === 'running' || step.state === 'done'));
  });
}

/** Kills the worker once a step is under way, brings another one up, and waits for the report. */
export async function replaceKillingAt(world: World, step: string): Promise<ReplaceMemberReport> {
  const handle = await world.start('replaceMember', { cluster, confirm: cluster });
  await untilStep(handle, step);
  await killPart(world.playground, 'worker', 'SIGKILL');
  await bringUpPart(world.playground, 'worker');
  return (await handle.result()) as ReplaceMemberReport;
}

/** Puts a node's etcd under a supervisor that starts it again a second after its end, as `restart: always` does. */
export async function superviseMember(world: World, node: string): Promise<void> {
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
esac
`,
    { mode: 0o755 },
  );
  await world.configure(({ clusters }) => {
    const etcd = clusters[cluster]?.nodes.find(({ name }) => name === node)?.['etcd'] as { service: object };
    etcd.service = { start: [script, 'start'], stop: [script, 'stop'], status: [script, 'status'] };
  });
}
