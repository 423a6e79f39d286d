/** Lists backups with one operation per page, because Temporal transports at most 2 MiB at once. */
import type { ListBackupsInput, ListBackupsReport } from '../domain/operations/list-backups.ts';

/** The part of the client that lists one page. */
export interface Pages {
  backups(input: ListBackupsInput): Promise<{ result(signal?: AbortSignal): Promise<ListBackupsReport> }>;
}

/**
 * Combines a page and all pages that follow it into one list.
 * @throws SalvorOperationError if a page can't be read; the signal's reason if it is raised
 */
export async function withOlderPages(
  client: Pages,
  input: Pick<ListBackupsInput, 'cluster' | 'store'>,
  { more, ...newest }: ListBackupsReport,
  signal?: AbortSignal,
): Promise<ListBackupsReport> {
  const pages = [newest];
  for (let left = more ?? 0; left > 0;) {
    const before = pages.at(-1)?.backups.at(-1)?.backup;
    if (before === undefined) break;
    const handle = await client.backups({ ...input, before });
    const { more: older = 0, ...page } = await handle.result(signal);
    pages.push(page);
    left = older;
  }
  const unreadable = new Map(pages.flatMap((page) => page.unreadable.map((each) => [each.store, each])));
  return { ...newest, backups: pages.flatMap(({ backups }) => backups), unreadable: [...unreadable.values()] };
}
