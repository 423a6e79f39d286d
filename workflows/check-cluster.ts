/** Checks everything that the operations on one cluster need, and changes nothing: `salvor doctor <cluster>`. */
import { isCancellation } from './kit/engine.ts';
import { checkInput } from '../domain/input.ts';
import { hashGroups } from '../domain/members/members.ts';
import { CHECK_CLUSTER, type CheckClusterInput, type CheckClusterReport } from '../domain/operations/check-cluster.ts';
import { bytesToStage } from '../domain/restore/room.ts';
import { look, preparing } from './kit/activities.ts';
import { checked, reasonOf } from './kit/failure.ts';
import { isGood } from '../domain/backups/catalogue-entry.ts';

type Check = CheckClusterReport['checks'][number];

export async function checkCluster(input: CheckClusterInput): Promise<CheckClusterReport> {
  const request = checked(() => checkInput<CheckClusterInput>(input, CHECK_CLUSTER.shape));
  const cluster = await look.readCluster(request);
  const members = await look.inspectMembers({ cluster });
  const checks: Check[] = members.map(({ node, status, error, alarms }) => ({
    name: `etcd member on ${node}`,
    ok: status !== undefined && status.leaderId !== '0' && (alarms ?? []).length === 0,
    seen:
      status === undefined
        ? (error ?? 'no answer')
        : [`etcd ${status.version}, revision ${status.revision}`, ...(alarms ?? [])].join(', '),
  }));
  const groups = hashGroups(members);
  checks.push({
    name: 'members hold the same keys',
    ok: groups.length === 1,
    seen: groups.map((group) => group.join('+')).join(' against ') || 'no member could be compared',
  });
  checks.push(
    await asCheck('stores', async () => {
      const { good, failing } = await look.checkStores({ cluster });
      const seen = [
        ...good.map((store) => `${store}: reads and writes`),
        ...failing.map(({ store, error }) => `${store}: ${error}`),
      ];
      return { ok: failing.length === 0, seen: seen.join('; ') };
    }),
    await asCheck('backups', async () => {
      const { backups, more = 0 } = await look.listBackups({ cluster });
      const [newest] = backups.filter((each) => isGood(each));
      if (newest === undefined)
        return { ok: true, seen: 'no backups yet', advice: `take one: salvor backup ${cluster.name}` };
      return { ok: true, seen: `${backups.length + more}, the newest good one is ${newest.backup}` };
    }),
  );
  const sizeBytes = Math.max(0, ...members.map(({ status }) => status?.dbSizeBytes ?? 0));
  for (const node of cluster.nodes) {
    const check = await asCheck(`node ${node.name}`, async () => {
      const { etcd, apiServer, etcdutl } = await preparing(node).checkNode({
        cluster,
        node: node.name,
        neededBytes: bytesToStage(sizeBytes),
      });
      return { ok: true, seen: `etcd ${etcd}${apiServer === null ? '' : `, kube-apiserver ${apiServer}`}, ${etcdutl}` };
    });
    checks.push(check);
  }
  return { cluster: cluster.name, checks };
}

async function asCheck(name: string, look: () => Promise<Omit<Check, 'name'>>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { name, ok: false, seen: reasonOf(error) };
  }
}
