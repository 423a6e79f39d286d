/** What `cleanup` removed or would remove. */
import type { CleanUpReport } from '../../domain/operations/clean-up.ts';
import { countedInWords } from '../../domain/restore/set-aside.ts';
import { formatBytes } from '../../domain/units.ts';
import { type Look, paint, plain } from './format.ts';
import { renderTable } from './table.ts';

export function renderCleanUp({ cluster, dryRun, removed }: CleanUpReport, look: Look): string {
  if (removed.length === 0) return `Nothing is set aside on the nodes of ${plain(cluster)}`;
  const bytes = removed.reduce((sum, each) => sum + each.bytes, 0);
  return [
    paint(look, 'bold', `${dryRun ? 'Would remove' : 'Removed'} ${countedInWords(removed)}, ${formatBytes(bytes)}`),
    renderTable(
      ['node', 'size', 'path'],
      removed.map((each) => [each.node, formatBytes(each.bytes), each.path]),
      look,
      { right: ['size'] },
    ),
  ].join('\n');
}
