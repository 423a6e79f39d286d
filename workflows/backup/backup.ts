/** Backs up one cluster: one healthy member's snapshot goes to every store, is read back, and gets a manifest. */
import { checkInput } from '../../domain/input.ts';
import { BACKUP, type BackupInput, type BackupReport } from '../../domain/operations/backup.ts';
import type { SkippedReport } from '../../domain/operations/common.ts';
import { look } from '../kit/activities.ts';
import { checked } from '../kit/failure.ts';
import { holdingClusterOrSkipping } from '../kit/hold-cluster.ts';
import { openRunbook } from '../kit/runbook.ts';
import { takeBackup } from './take-backup.ts';
import { tendStores } from './tend-stores.ts';

export async function backup(input: BackupInput): Promise<BackupReport | SkippedReport> {
  const request = checked(() => checkInput<BackupInput>(input, BACKUP.shape));
  const runbook = openRunbook('backup', request.cluster);
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await holdingClusterOrSkipping(cluster.name, 'backup', async () => {
    const report = await takeBackup(cluster, runbook, request.override);
    await tendStores(cluster, report.backup, runbook);
    return report;
  });
}
