/** Compares a backup, served by a scratch etcd, with the live cluster: key by key, without the values. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { type Changes, changeOf, type KeyVersion, openTally } from '../../domain/restore/changes.ts';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { endpointOf, withMember } from '../etcd/inspect.ts';
import type { Member, MemberEndpoint } from '../etcd/member.ts';

/** Both sides together read some ten thousand keys a second on the slowest machines. */
const COMPARISON_MS = 300_000;

/** Null with the reason when no live member could be read. */
export type Comparison = { changes: Changes; changesProblem?: never } | { changes: null; changesProblem: string };

/**
 * What restoring this backup would change in the cluster as it is now. The live keys are read at one revision from one
 * member, the most advanced that answers. No other member is asked, so this works without quorum.
 * @param restored the scratch etcd and the backup's revision in it
 */
export async function compareWithLive(
  cluster: Cluster,
  restored: { endpoint: MemberEndpoint; revision: string },
  signal: AbortSignal,
): Promise<Comparison> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(COMPARISON_MS)]);
  try {
    return { changes: await compareWithAny(cluster, restored, limited) };
  } catch (error) {
    signal.throwIfAborted();
    const reason = limited.aborted ? `it took more than ${COMPARISON_MS / 60_000} minutes` : messageOf(error);
    if (limited.aborted || error instanceof SalvorError) return { changes: null, changesProblem: reason };
    throw error;
  }
}

async function compareWithAny(
  cluster: Cluster,
  restored: { endpoint: MemberEndpoint; revision: string },
  signal: AbortSignal,
): Promise<Changes> {
  const { endpoint, revision } = await mostAdvanced(cluster, signal);
  return await withMember(endpoint, async (live) =>
    withMember(restored.endpoint, async (scratch) => {
      const tally = openTally(cluster.flavour);
      const pairs = inStep(live.keys(signal, revision), scratch.keys(signal, restored.revision));
      for await (const [now, then] of pairs) {
        const change = changeOf(now, then);
        if (change) tally.add(change.kind, change.key);
      }
      return tally.changes(revision);
    }),
  );
}

async function mostAdvanced(
  cluster: Cluster,
  signal: AbortSignal,
): Promise<{ endpoint: MemberEndpoint; revision: string }> {
  const reasons: string[] = [];
  const asked = cluster.nodes.map(async (node) => {
    try {
      const endpoint = endpointOf(cluster, node);
      const { revision } = await withMember(endpoint, async (member: Member) => await member.status(signal));
      return [{ endpoint, revision }];
    } catch (error) {
      signal.throwIfAborted();
      reasons.push(messageOf(error));
      return [];
    }
  });
  const members = (await Promise.all(asked)).flat().sort((a, b) => (BigInt(a.revision) > BigInt(b.revision) ? -1 : 1));
  if (members[0]) return members[0];
  throw new SalvorError('MemberUnreachable', `no member of ${cluster.name} answers: ${reasons.join('; ')}`);
}

type Pages = AsyncIterable<KeyVersion[]>;

/** Merges two sequences that are ordered by key; entries with the same key come together. */
async function* inStep(
  left: Pages,
  right: Pages,
): AsyncGenerator<[KeyVersion | undefined, KeyVersion | undefined], void> {
  const [ours, theirs] = [readerOf(left), readerOf(right)];
  try {
    await Promise.all([ours.fill(), theirs.fill()]);
    for (;;) {
      const [a, b] = [ours.first(), theirs.first()];
      if (a === undefined && b === undefined) return;
      const order = a === undefined ? 1 : b === undefined ? -1 : Buffer.compare(a.key, b.key);
      yield [order <= 0 ? a : undefined, order >= 0 ? b : undefined];
      if (order <= 0 && ours.take()) await ours.fill();
      if (order >= 0 && theirs.take()) await theirs.fill();
    }
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
  }
}

/** One page in memory and the position in it. */
function readerOf(pages: Pages) {
  const source = pages[Symbol.asyncIterator]();
  let page: KeyVersion[] = [];
  let at = 0;
  return {
    first: () => page[at],
    /** Steps over the first entry; true when another page has to be read. */
    take: () => (at += 1) >= page.length,
    async fill() {
      const next = await source.next();
      page = next.done === true ? [] : next.value;
      at = 0;
    },
    close: async () => await source.return?.(undefined),
  };
}
