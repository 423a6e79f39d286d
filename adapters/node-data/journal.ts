/** The journal of a restore: a file beside the node's data directory. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { isSameRun, type Journal, type RestoreRun } from '../../domain/restore/journal.ts';
import { journalPath } from '../../domain/node-paths.ts';
import type { Host } from '../hosts/host.ts';

const revision = z.string().regex(/^\d{1,20}$/);
const component = z.enum(['running', 'stopped']);
const journalSchema = z.strictObject({
  formatVersion: z.literal(1),
  cluster: z.string(),
  operationId: z.string().regex(/^\d{8}-\d{6}$/),
  workflowId: z.string(),
  runId: z.string(),
  temporal: z.string().optional(),
  backup: z.string(),
  touchedAt: z.iso.datetime(),
  phase: z.enum(['preparing', 'changing', 'rolling-back']),
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
  newData: z.string().optional(),
}) satisfies z.ZodType<NodeJournal>;

/** As it lies on one node. */
interface NodeJournal extends Journal {
  /** The inode and the birth time of the staged directory: a rename keeps both, and no other directory has them. */
  newData?: string | undefined;
}

/**
 * Makes the journal of a restore that is about to stage its data. The one of another restore is never replaced, not
 * even when both begin in the same moment; its own from an attempt before is fine.
 * @returns where it lies
 * @throws SalvorError `UnsafeState` when the node has the journal of another restore
 */
export async function openJournal(node: ClusterNode, host: Host, journal: Journal, signal: AbortSignal) {
  await refuseUnfinished(journal.cluster, node, host, signal, journal);
  const path = journalPath(node.etcd.dataDir);
  const part = `${path}.salvor-part-${randomBytes(4).toString('hex')}`;
  await host.write(part, asStream(textOf(journal)), { mode: 0o600, signal });
  try {
    // Unlike a rename, a link never takes the place of a file that is there.
    const { exitCode, stderr } = await host.run(['ln', part, path], { signal });
    await refuseUnfinished(journal.cluster, node, host, signal, journal);
    if (exitCode === 0 || (await readJournal(node, host, signal)) !== undefined) return path;
    throw new SalvorError('CommandFailed', `${node.name}: ${path} could not be made: ${stderr.trim()}`);
  } finally {
    await host.removeOwn(part, signal);
  }
}

/**
 * Replaces the journal of the same restore.
 * @param newData which directory is staged; without it, what is noted stays
 * @param mustBeThere false for a restore that is taken over: a node may have lost its journal
 * @returns where it lies
 * @throws SalvorError `UnsafeState` when the journal is another restore's, or was taken away
 */
export async function writeJournal(
  node: ClusterNode,
  host: Host,
  journal: Journal,
  { newData, mustBeThere }: { newData: string | undefined; mustBeThere: boolean },
  signal: AbortSignal,
): Promise<string> {
  const path = journalPath(node.etcd.dataDir);
  const before = await readJournal(node, host, signal);
  if (before === undefined && mustBeThere) await requireOwnJournal(node, host, journal, signal);
  if (before !== undefined && !isSameRun(before, journal)) throw ofAnother(journal.cluster, node, before);
  const noted = newData ?? before?.newData;
  const text = textOf({ ...journal, ...(noted !== undefined && { newData: noted }) });
  await host.write(path, asStream(text), { mode: 0o600, signal });
  return path;
}

function textOf(journal: NodeJournal): string {
  return `${JSON.stringify(journal, null, 2)}\n`;
}

async function* asStream(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

/**
 * The journal of a restore that has not ended; undefined if the node has none.
 * @throws SalvorError `UnsafeState` for a file that is not a journal
 */
export async function readJournal(
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
): Promise<NodeJournal | undefined> {
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

/**
 * Takes it away: the restore has ended. Nothing there is fine.
 * @throws SalvorError `UnsafeState` for the journal of another restore
 */
export async function closeJournal(node: ClusterNode, host: Host, run: RestoreRun, signal: AbortSignal): Promise<void> {
  const journal = await readJournal(node, host, signal);
  if (journal === undefined) return;
  if (!isSameRun(journal, run)) throw ofAnother(journal.cluster, node, journal);
  await host.removeOwn(journalPath(node.etcd.dataDir), signal);
}

/**
 * A node on which another restore is under way, or has not ended, is no ground for this one.
 * @param own the run whose own journal is fine
 * @returns its own journal
 * @throws SalvorError `UnsafeState`, saying how to go on
 */
export async function refuseUnfinished(
  cluster: string,
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
  own?: RestoreRun,
): Promise<Journal | undefined> {
  const journal = await readJournal(node, host, signal);
  if (journal === undefined || (own && isSameRun(journal, own))) return journal;
  throw ofAnother(cluster, node, journal);
}

/** Whether a node has the journal of this run of this restore. */
export async function isOwnJournal(
  node: ClusterNode,
  host: Host,
  run: RestoreRun,
  signal: AbortSignal,
): Promise<boolean> {
  const journal = await readJournal(node, host, signal);
  return journal !== undefined && isSameRun(journal, run);
}

/**
 * A restore without its journal has no business on a node.
 * @throws SalvorError `UnsafeState` when there is none, or another restore's
 */
export async function requireOwnJournal(
  node: ClusterNode,
  host: Host,
  run: RestoreRun,
  signal: AbortSignal,
): Promise<void> {
  if (await isOwnJournal(node, host, run, signal)) return;
  throw new SalvorError(
    'UnsafeState',
    `${node.name}: the journal of ${run.workflowId} is no longer there: another operation or a person has taken it away, and this restore changes nothing. See who acts on this node, and start the restore again`,
  );
}

/** Another operation, another run of it, or another Temporal server that knows nothing of this one. */
function ofAnother(cluster: string, node: ClusterNode, journal: Journal): SalvorError {
  const { workflowId, runId, temporal, touchedAt, phase } = journal;
  const who = `the restore ${workflowId} (run ${runId}${temporal === undefined ? '' : `, Temporal ${temporal}`})`;
  const [did, ways] =
    phase === 'preparing'
      ? [
          `has been preparing this node since ${touchedAt}`,
          `clean up after it, \`salvor restore ${cluster} --resume\`: it has changed nothing yet`,
        ]
      : [
          `began to change this node at ${touchedAt} and has not ended`,
          `continue it, \`salvor restore ${cluster} --resume\`, or put everything back: \`salvor restore ${cluster} --resume rollback\``,
        ];
  return new SalvorError(
    'UnsafeState',
    `${node.name}: ${who} ${did}. Wait for it; if it no longer runs there, ${ways}`,
  );
}
