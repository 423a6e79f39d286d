/** Lists a cluster's backups, page by page. The stores are the only truth, and only workers reach them. */
import { checkInput } from '../../domain/input.ts';
import { LIST_BACKUPS, type ListBackupsInput, type ListBackupsReport } from '../../domain/operations/list-backups.ts';
import { look } from '../kit/activities.ts';
import { checked } from '../kit/failure.ts';

export async function listBackups(input: ListBackupsInput): Promise<ListBackupsReport> {
  const request = checked(() => checkInput<ListBackupsInput>(input, LIST_BACKUPS.shape));
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await look.listBackups({ ...request, cluster });
}
