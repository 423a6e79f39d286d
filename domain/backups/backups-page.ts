/**
 * How much of a long list of backups is sent through Temporal at once. Temporal refuses more than 2 MiB and warns above
 * 512 KiB. Pure.
 */
import type { CatalogueEntry } from './catalogue-entry.ts';
import type { BackupId } from '../format/keys.ts';

/** One page of a list, newest first. */
export interface BackupsPage {
  backups: CatalogueEntry[];
  /** How many older backups are not in this page; absent when this page is the last. */
  more?: number;
}

const PAGE_CHARACTERS = 500_000;

/**
 * The newest of the backups that are older than `before`: at most `limit` of them, and no more than fit into a page.
 * Backups with the same name (the same second) stay on one page.
 * @param entries newest first
 * @returns the page; `more` is set when older backups are left
 */
export function pageOf(
  entries: readonly CatalogueEntry[],
  { before, limit = Infinity }: { before?: BackupId; limit?: number },
): BackupsPage {
  const older = before === undefined ? entries : entries.filter(({ backup }) => backup < before);
  let characters = 0;
  let end = 0;
  for (const entry of older) {
    characters += JSON.stringify(entry).length;
    const isFull = end >= limit || (end > 0 && characters > PAGE_CHARACTERS);
    // The next page is asked for by name ("before this one"), so backups that share a name must not be split.
    if (isFull && older[end - 1]?.backup !== entry.backup) break;
    end += 1;
  }
  const more = older.length - end;
  return { backups: older.slice(0, end), ...(more > 0 && { more }) };
}
