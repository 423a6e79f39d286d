/** What `heal` copied. */
import type { HealReport } from '../../domain/operations/heal.ts';
import { formatBytes } from '../../domain/units.ts';
import { type Look, paint, plain } from './format.ts';
import { renderTable } from './table.ts';

export function renderHeal({ cluster, healed, failed, more, unreadable }: HealReport, look: Look): string {
  const nothing = unreadable.length === 0 ? 'no store lacks a copy' : 'nothing was copied';
  const rows = healed.map(({ backup, key, from, to, bytes }) => [backup, from, to, formatBytes(bytes), key]);
  return [
    ...unreadable.map(({ store, error }) =>
      paint(look, 'yellow', `! store "${store}" can't be read, so its missing copies are unknown: ${plain(error)}`),
    ),
    ...failed.map(({ backup, key, to, error }) =>
      paint(look, 'red', `! ${backup}: "${to}" still lacks ${plain(key)}: ${plain(error)}`),
    ),
    healed.length === 0
      ? `${plain(cluster)}: ${failed.length === 0 ? nothing : 'nothing could be copied'}`
      : renderTable(['BACKUP (UTC)', 'FROM', 'TO', 'SIZE', 'KEY'], rows, look, { right: ['SIZE'] }),
    ...(more > 0 ? [paint(look, 'yellow', `! ${more} copies are still missing; run heal again`)] : []),
  ].join('\n');
}
