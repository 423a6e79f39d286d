/** The backups of a cluster, newest first. */
import type { CatalogueEntry } from '../../domain/backups/catalogue-entry.ts';
import type { ListBackupsReport } from '../../domain/operations/list-backups.ts';
import { formatBytes } from '../../domain/units.ts';
import { formatAge, type Look, paint, plain } from './format.ts';
import { type Cell, renderTable } from './table.ts';

const STYLES = { complete: 'green', degraded: 'yellow', foreign: 'dim', broken: 'red' } as const;
const HEAD = ['BACKUP (UTC)', 'AGE', 'NODE', 'STATE', 'PROOF', 'REVISION', 'SIZE', 'STORES', ''];

export function renderBackups({ cluster, backups, unreadable, more }: ListBackupsReport, look: Look): string {
  const problems = backups.filter((entry) => entry.problem !== undefined);
  return [
    ...unreadable.map(({ store, error }) =>
      paint(
        look,
        'red',
        `! store "${store}" can't be read; backups that only it has are missing here: ${plain(error)}`,
      ),
    ),
    backups.length === 0
      ? `No backups of ${plain(cluster)}. Take one: salvor backup ${plain(cluster)}`
      : renderTable(
          HEAD,
          backups.map((entry) => row(entry, look)),
          look,
          { right: ['AGE', 'REVISION', 'SIZE'] },
        ),
    // Only when `salvor show` shows the one page of an earlier operation.
    ...(more === undefined ? [] : [`${more} older ones: salvor backups ${plain(cluster)}`]),
    ...problems.map(({ backup, problem }) => paint(look, 'yellow', `! ${backup}: ${plain(problem ?? '')}`)),
  ].join('\n');
}

function row(entry: CatalogueEntry, look: Look): Cell[] {
  return [
    entry.backup,
    formatAge(new Date(entry.takenAt), look.now),
    entry.node,
    { text: entry.state, style: STYLES[entry.state] },
    entry.proof ?? '-',
    entry.revision ?? '-',
    formatBytes(entry.bytes),
    entry.stores.join(', '),
    entry.pinned ? 'pinned' : '',
  ];
}
