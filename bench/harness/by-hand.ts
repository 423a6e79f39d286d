/** Restores three kubeadm nodes as a careful person would at a shell, without Salvor. */
import type { Lab, LabNode, NodeNumber } from '../../playground/lab/lab.ts';

const ETCD_MS = 300_000;
const BIN = '/opt/lab/bin';
const CERTIFICATES =
  '--cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/healthcheck-client.crt --key /etc/kubernetes/pki/etcd/healthcheck-client.key --endpoints https://127.0.0.1:2379';

type Step = (node: LabNode) => string;

/**
 * Takes a snapshot, copies it to every node, and restores it everywhere.
 * @param how `together`: each step on all nodes before the next step, as the runbooks say; `in turn`: all steps on one
 * node, then on the next
 */
export async function restoreByHand(lab: Lab, how: 'together' | 'in turn'): Promise<void> {
  const stamp = Date.now();
  const snapshot = '/var/lib/by-hand.db';
  await onNode(lab, 1, `${BIN}/etcdctl ${CERTIFICATES} snapshot save ${snapshot} 2>/dev/null`);
  for (const number of [2, 3] as const) await copySnapshot(lab, number, snapshot);
  const initialCluster = lab.nodes.map(({ name, address }) => `${name}=https://${address}:2380`).join(',');

  const stopping: Step[] = [
    () => 'mkdir -p /etc/kubernetes/by-hand; mv /etc/kubernetes/manifests/*.yaml /etc/kubernetes/by-hand/',
    () => 'while pgrep -x etcd >/dev/null || pgrep -x kube-apiserver >/dev/null; do sleep 0.2; done',
  ];
  const restoring: Step[] = [
    ({ name, address }) =>
      `mv /var/lib/etcd /var/lib/etcd.by-hand-${stamp}
${BIN}/etcdutl snapshot restore ${snapshot} --name ${name} --initial-cluster ${initialCluster} --initial-cluster-token by-hand-${stamp} \
--initial-advertise-peer-urls https://${address}:2380 --data-dir /var/lib/etcd --bump-revision 1000000000 --mark-compacted 2>/dev/null
chmod 700 /var/lib/etcd`,
    () => 'mv /etc/kubernetes/by-hand/etcd.yaml /etc/kubernetes/manifests/',
  ];
  const healthy: Step = () =>
    `while ! ${BIN}/etcdctl ${CERTIFICATES} endpoint health >/dev/null 2>&1; do sleep 0.3; done`;
  const finishing: Step[] = [
    () => 'mv /etc/kubernetes/by-hand/*.yaml /etc/kubernetes/manifests/',
    () => 'while [ "$(kubectl --request-timeout=2s get --raw /readyz 2>/dev/null)" != ok ]; do sleep 0.5; done',
  ];

  // A member of a new cluster is healthy only with a quorum, so the last two steps come after all nodes have their
  // data.
  if (how === 'together') {
    for (const step of [...stopping, ...restoring, healthy, ...finishing]) await onEach(lab, step);
    return;
  }
  for (const step of stopping) await onEach(lab, step);
  for (const node of lab.nodes) {
    for (const step of restoring) await onNode(lab, node.number, step(node));
  }
  for (const node of lab.nodes) {
    for (const step of [healthy, ...finishing]) await onNode(lab, node.number, step(node));
  }
}

/** Runs one shell after another, as a person would. */
async function onEach(lab: Lab, step: Step): Promise<void> {
  for (const node of lab.nodes) await onNode(lab, node.number, step(node));
}

async function onNode(lab: Lab, number: NodeNumber, script: string): Promise<void> {
  await lab.onNode(number, ['bash', '-c', `set -e\n${script}`], { timeoutMs: ETCD_MS });
}

/** Copies through the operator's machine. */
async function copySnapshot(lab: Lab, number: NodeNumber, path: string): Promise<void> {
  const [from, to] = ['n1', `n${number}`];
  const ssh = `ssh -F ${lab.ssh.configFile}`;
  const script = `${ssh} ${from} sudo cat ${path} | ${ssh} ${to} "sudo sh -c 'cat >${path}'"`;
  const { exitCode, stderr } = await lab.operatorRun(['bash', '-o', 'pipefail', '-c', script], { timeoutMs: ETCD_MS });
  if (exitCode !== 0) throw new Error(`the snapshot could not be copied to ${to}: ${stderr}`);
}
