/** Lists a cluster's backups, page by page. The stores are the only truth, and only workers reach them. */
import { checkInput, isBackupName, isName, isPositiveCount } from '../../domain/input.ts';
import type { ListBackupsInput, ListBackupsReport } from '../../domain/operations/list-backups.ts';
import { look } from '../kit/activities.ts';
import { checked } from '../kit/failure.ts';

export async function listBackups(input: ListBackupsInput): Promise<ListBackupsReport> {
  const request = checked(() =>
    checkInput<ListBackupsInput>(input, {
      required: { cluster: isName },
      optional: { store: isName, before: isBackupName, limit: isPositiveCount },
    }),
  );
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await look.listBackups({ ...request, cluster });
}
