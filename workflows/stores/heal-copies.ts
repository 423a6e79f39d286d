/** The steps that heal. `heal` consists of them, and a backup ends with them when older backups lack a copy. */
import type { LackingCopy } from '../../activities/heal.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { HealReport } from '../../domain/operations/heal.ts';
import { formatBytes } from '../../domain/units.ts';
import { stream } from '../kit/activities.ts';
import { failureTypeOf, reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';
import type { Runbook } from '../kit/runbook.ts';

type Outcome = Pick<HealReport, 'healed' | 'failed'>;

/** Heals the copies store by store. Copies that can't be healed are named, and the rest are still healed. */
export async function healCopies(cluster: Cluster, copies: LackingCopy[], runbook: Runbook): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const [store, lacking] of Map.groupBy(copies, (copy) => copy.store)) {
    const act = async () => await healStore(cluster, lacking);
    outcomes.push(await runbook.step(`Copy what ${store} lacks`, null, act, asEvidence));
  }
  return { healed: outcomes.flatMap(({ healed }) => healed), failed: outcomes.flatMap(({ failed }) => failed) };
}

async function healStore(cluster: Cluster, copies: LackingCopy[]): Promise<Outcome> {
  const outcome: Outcome = { healed: [], failed: [] };
  let storeFails: string | undefined;
  for (const copy of copies) {
    const { backup, store: to, keys } = copy;
    try {
      if (storeFails === undefined) {
        const copied = await stream.healCopy({ cluster, copy });
        outcome.healed.push(...copied.map((each) => ({ backup, to, ...each })));
        continue;
      }
    } catch (error) {
      rethrowUnlessActivity(error);
      const reason = reasonOf(error);
      for (const key of keys) outcome.failed.push({ backup, key, to, error: reason });
      // The remaining copies would wait for the same failing store.
      if (failureTypeOf(error) !== 'ArtifactMissing') storeFails = reason;
      continue;
    }
    for (const key of keys) outcome.failed.push({ backup, key, to, error: `not tried after: ${storeFails}` });
  }
  return outcome;
}

function asEvidence({ healed, failed }: Outcome): string {
  const bytes = healed.reduce((sum, copy) => sum + copy.bytes, 0);
  const [first] = failed;
  return `${healed.length} copied, ${formatBytes(bytes)}` + (first ? `; ${failed.length} not: ${first.error}` : '');
}
