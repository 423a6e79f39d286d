/** The journal of a restore: a file next to the node's data directory. */
import { z } from 'zod';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { Journal } from '../../domain/restore/journal.ts';
import { journalPath } from '../../domain/node-paths.ts';
import type { Host } from '../hosts/host.ts';

const revision = z.string().regex(/^\d{1,20}$/);
const component = z.enum(['running', 'stopped']);
const journalSchema = z.strictObject({
  formatVersion: z.literal(1),
  cluster: z.string(),
  operationId: z.string().regex(/^\d{8}-\d{6}$/),
  workflowId: z.string(),
  backup: z.string(),
  touchedAt: z.iso.datetime(),
  phase: z.enum(['changing', 'rolling-back']),
  problem: z.string().nullable(),
  revision: z.strictObject({ before: revision.nullable(), snapshot: revision, floor: revision }),
  clusterId: z.string().nullable(),
  leader: z.string().nullable(),
  up: z.array(z.string()),
  hadLeader: z.boolean(),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      etcd: component,
      apiServer: component.nullable(),
      dataDir: z.enum(['present', 'missing']),
    }),
  ),
}) satisfies z.ZodType<Journal>;

/**
 * @returns its path
 */
export async function writeJournal(
  node: ClusterNode,
  host: Host,
  journal: Journal,
  signal: AbortSignal,
): Promise<string> {
  const path = journalPath(node.etcd.dataDir);
  const text = `${JSON.stringify(journal, null, 2)}\n`;
  await host.write(path, asStream(text), { mode: 0o600, signal });
  return path;
}

async function* asStream(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

/**
 * The journal of a restore that has not ended; undefined if the node has none.
 * @throws SalvorError `UnsafeState` for a file that is not a journal
 */
export async function readJournal(node: ClusterNode, host: Host, signal: AbortSignal): Promise<Journal | undefined> {
  const path = journalPath(node.etcd.dataDir);
  const text = await host.readText(path, signal);
  if (text === undefined) return undefined;
  const result = journalSchema.safeParse(parsed(text));
  if (result.success) return result.data;
  throw new SalvorError(
    'UnsafeState',
    `${node.name}: ${path} is not the journal of a restore (${z.prettifyError(result.error)}); a restore may have begun to change this node. Compare the node with the others, then move the file away`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Removes it: the restore has ended. A missing journal is fine. */
export async function closeJournal(node: ClusterNode, host: Host, signal: AbortSignal): Promise<void> {
  await host.removeOwn(journalPath(node.etcd.dataDir), signal);
}

/**
 * Refuses a node that another restore has begun to change.
 * @throws SalvorError `UnsafeState`, saying how to continue
 */
export async function refuseUnfinished(
  cluster: string,
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
): Promise<void> {
  const journal = await readJournal(node, host, signal);
  if (journal === undefined) return;
  throw new SalvorError(
    'UnsafeState',
    `${node.name}: the restore ${journal.workflowId} began to change this node at ${journal.touchedAt} and has not ended. Continue it with \`salvor restore ${cluster} --resume\`, or put everything back with \`salvor restore ${cluster} --resume rollback\``,
  );
}
