/** Puts a member back as it was. This is possible only until it is removed from the cluster. */
import { traitsOf } from '../../domain/flavours/index.ts';
import { changing } from '../kit/activities.ts';
import { startedSo } from '../restore/start-and-stop.ts';
import type { MemberChange } from './change-member.ts';
import type { Runbook } from '../kit/runbook.ts';

export async function putMemberBack(
  { cluster, node, found, operationId }: MemberChange,
  runbook: Runbook,
): Promise<void> {
  const order = { cluster, node: node.name };
  await runbook.step(
    'Roll back: put the old data back',
    node.name,
    async () => await changing(node).putBackMemberData({ ...order, operationId, hadData: found.etcd === 'running' }),
    ({ changed }) => (changed ? 'it is in its place' : 'it was not moved'),
  );
  if (found.etcd === 'running') {
    await runbook.step(
      'Roll back: start etcd',
      node.name,
      async () => await changing(node).startEtcd(order),
      startedSo,
    );
  }
  if (!traitsOf(cluster.flavour).kubernetes?.hasOwnEtcdOnly || found.apiServer !== 'running') return;
  await runbook.step(
    'Roll back: start kube-apiserver',
    node.name,
    async () => await changing(node).startApiServer(order),
    startedSo,
  );
  await runbook.step(
    'Roll back: start the controllers',
    node.name,
    async () => await changing(node).startControllers(order),
    startedSo,
  );
}
