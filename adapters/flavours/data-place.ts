/** The error for an etcd that keeps its log outside its data directory. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { memberData } from '../../domain/node-paths.ts';

/**
 * @param seen what on the node shows this
 */
export function logElsewhere(node: ClusterNode, seen: string): SalvorError {
  const data = memberData(node.etcd.dataDir);
  return new SalvorError(
    'UnsafeState',
    `${node.name}: ${seen}: etcd keeps its log outside its data directory, and would read the old log with the new data. Stop etcd, move the log to ${data}/wal and start etcd without --wal-dir; if the log is lost, move ${data} away`,
  );
}
