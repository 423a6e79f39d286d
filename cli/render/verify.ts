/** The result of a drill of a backup. */
import type { VerifyReport } from '../../domain/operations/verify.ts';
import { formatDuration, type Look, paint, plain } from './format.ts';
import { renderFacts } from './table.ts';

/** What each level of proof means, in a few words. */
const MEANINGS: Record<VerifyReport['proof'], string> = {
  written: 'written, not checked since',
  readBack: 'read back from the stores after it was written',
  hashed: 'every copy has the right digests and hashes',
  restored: 'an etcd restored from it serves its keys',
  served: 'a kube-apiserver reads every object of it',
};

export function renderVerify({ cluster, backup, store, proof, checks, durationMs }: VerifyReport, look: Look): string {
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  return [
    `Backup ${paint(look, 'bold', backup)} of ${plain(cluster)}: ${paint(look, 'green', proof)}`,
    renderFacts(
      [
        ['proven', MEANINGS[proof]],
        ['restored from', store],
        ['took', formatDuration(durationMs)],
      ],
      look,
    ),
    '',
    ...checks.map((check) => `${markOf(check, look)} ${plain(check.name).padEnd(width)}  ${plain(check.seen)}`),
  ].join('\n');
}

function markOf({ ok, skipped = false }: VerifyReport['checks'][number], look: Look): string {
  if (skipped) return paint(look, 'dim', '·');
  return ok ? paint(look, 'green', '✔') : paint(look, 'yellow', '!');
}
