/** The result of a backup. */
import type { ArtifactReport, BackupReport } from '../../domain/operations/backup.ts';
import { formatBytes } from '../../domain/units.ts';
import { formatAge, formatCount, formatDuration, formatTime, type Look, paint, plain, shortHash } from './format.ts';
import { type Cell, renderFacts, renderTable } from './table.ts';

export function renderBackup(report: BackupReport, look: Look): string {
  const takenAt = new Date(report.takenAt);
  const state = paint(look, report.state === 'complete' ? 'green' : 'yellow', report.state);
  const rows = report.artifacts.flatMap((artifact) => artifactRows(artifact));
  const failed = report.artifacts.flatMap(({ kind, copies }) =>
    copies.filter((copy) => copy.state === 'failed').map((copy) => ({ kind, ...copy })),
  );
  return [
    `Backup ${paint(look, 'bold', report.backup)} of ${plain(report.cluster)}: ${state}`,
    renderFacts(
      [
        ['taken', `${formatTime(takenAt, look)}, ${formatAge(takenAt, look.now)}, from ${report.node}`],
        ['revision', `${report.revision}, ${formatCount(report.totalKeys)} keys`],
        ['took', formatDuration(report.durationMs)],
      ],
      look,
    ),
    '',
    renderTable(['ARTIFACT', 'SIZE', 'SHA-256', 'STORE', 'COPY', 'KEY'], rows, look, { right: ['SIZE'] }),
    ...failed.map(({ kind, store, error }) =>
      paint(look, 'yellow', `! store "${store}" lacks ${kind}: ${plain(error ?? 'no reason was given')}`),
    ),
    ...(report.lacking ?? []).map(({ kind, node, reason }) =>
      paint(look, 'yellow', `! ${kind} of ${plain(node)} could not be saved: ${plain(reason)}`),
    ),
  ].join('\n');
}

function artifactRows({ kind, bytes, sha256, copies }: ArtifactReport): Cell[][] {
  return copies.map(({ store, key, state }, index) => [
    ...(index === 0 ? [kind, formatBytes(bytes), shortHash(sha256)] : ['', '', '']),
    store,
    { text: state, style: state === 'complete' ? 'green' : 'red' },
    key,
  ]);
}
