/**
 * Lists a cluster's backups, page by page. Only the stores know which backups exist, and only workers reach the stores.
 */
import { checkInput } from '../../domain/input.ts';
import { LIST_BACKUPS, type ListBackupsInput, type ListBackupsReport } from '../../domain/operations/list-backups.ts';
import { look } from '../kit/activities.ts';
import { checked } from '../kit/failure.ts';

export async function listBackups(input: ListBackupsInput): Promise<ListBackupsReport> {
  const request = checked(() => checkInput<ListBackupsInput>(input, LIST_BACKUPS.shape));
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await look.listBackups({ ...request, cluster });
}
