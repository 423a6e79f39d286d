/** What pruning kept and removed, and what a pin did. */
import type { PinReport } from '../../domain/operations/pin.ts';
import type { PruneReport } from '../../domain/operations/prune.ts';
import { formatBytes } from '../../domain/units.ts';
import { type Look, paint, plain } from './format.ts';
import { type Cell, renderTable } from './table.ts';

export function renderPrune(report: PruneReport, look: Look): string {
  const { cluster, dryRun, hold, stores } = report;
  const rows = stores.flatMap((store) => storeRows(store, dryRun));
  const removed = stores.reduce((sum, store) => sum + store.removed.length, 0);
  const headline = dryRun
    ? `${plain(cluster)}: ${counted(removed, 'copy', 'copies')} of backups would be removed`
    : `Pruned ${plain(cluster)}: ${counted(removed, 'copy', 'copies')} of backups removed`;
  return [
    ...(hold === null ? [] : [paint(look, 'yellow', `! ${plain(hold)}`)]),
    ...stores.flatMap((store) =>
      store.hold === undefined || store.hold === hold ? [] : [paint(look, 'yellow', `! ${plain(store.hold)}`)],
    ),
    ...stores.flatMap(({ store, error }) =>
      error === undefined ? [] : [paint(look, 'red', `! store "${store}" was not pruned: ${plain(error)}`)],
    ),
    paint(look, 'bold', headline),
    ...(rows.length === 0 ? [] : ['', renderTable(['STORE', 'BACKUP (UTC)', '', 'REASON'], rows, look)]),
    ...stores.flatMap(({ store, orphans }) => {
      if (orphans.length === 0) return [];
      const bytes = orphans.reduce((sum, orphan) => sum + orphan.bytes, 0);
      const what = `${counted(orphans.length, 'object', 'objects')} without a backup, ${formatBytes(bytes)}`;
      return [`${store}: ${what}${dryRun ? ' would be removed' : ' removed'}`];
    }),
    ...stores.flatMap(({ store, more }) => (more === undefined ? [] : moreLines(store, more, look))),
  ].join('\n');
}

type More = NonNullable<PruneReport['stores'][number]['more']>;

function moreLines(store: string, { kept, removed, orphans }: More, look: Look): string[] {
  const left = [
    ...(removed > 0 ? [counted(removed, 'backup', 'backups')] : []),
    ...(orphans > 0 ? [`${counted(orphans, 'object', 'objects')} without a backup`] : []),
  ];
  return [
    ...(kept > 0 ? [`${store}: ${counted(kept, 'older one', 'older ones')} also kept`] : []),
    ...(left.length > 0
      ? [
          paint(
            look,
            'yellow',
            `! ${store}: ${left.join(' and ')} more to remove than fit into one report; run prune again`,
          ),
        ]
      : []),
  ];
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function storeRows({ store, kept, removed }: PruneReport['stores'][number], dryRun: boolean): Cell[][] {
  const rows = [
    ...kept.map((each) => ({ ...each, done: 'kept', style: 'green' as const })),
    ...removed.map((each) => ({ ...each, done: dryRun ? 'would go' : 'removed', style: 'yellow' as const })),
  ];
  rows.sort((a, b) => (a.backup < b.backup ? 1 : -1));
  return rows.map(({ backup, reason, done, style }) => [store, backup, { text: done, style }, reason]);
}

export function renderPin({ cluster, backup, pinned, stores }: PinReport, look: Look): string {
  const done = pinned
    ? 'is pinned and will not be pruned'
    : 'is no longer pinned and will be pruned by the retention rules';
  return `Backup ${paint(look, 'bold', backup)} of ${plain(cluster)} ${done} (${stores.join(', ')})`;
}
