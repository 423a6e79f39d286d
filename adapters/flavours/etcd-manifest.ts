/** The static pod of a kubeadm node's etcd, written for a member that joins: as `kubeadm join` itself would write it. */
import { parseDocument, isMap, isScalar, isSeq, type Document, type YAMLSeq } from 'yaml';
import { SalvorError } from '../../domain/errors.ts';

export interface JoiningMember {
  name: string;
  clientUrl: string;
  peerUrl: string;
  /** As in `n1=https://10.0.0.1:2380,n3=https://10.0.0.3:2380`. */
  initialCluster: string;
}

/** By it kubeadm finds the members of a cluster. */
const ANNOTATION = 'kubeadm.kubernetes.io/etcd.advertise-client-urls';

/**
 * The manifest with the member's name, addresses and initial cluster; everything else stays as it is.
 * @param where named in messages: node and file
 * @throws SalvorError `UnsafeState` for what is no manifest of etcd
 */
export function joiningManifest(manifest: string, member: JoiningMember, where: string): string {
  const document = parseDocument(manifest);
  const words = commandOf(document, where);
  const flags = new Map(words.items.map((item, index) => [flagName(item), index]));
  const { clientUrl, peerUrl } = member;
  const { port } = new URL(clientUrl);
  const wanted: [flag: string, value: string][] = [
    ['--name', member.name],
    ['--advertise-client-urls', clientUrl],
    ['--listen-client-urls', [...new Set([`https://127.0.0.1:${port}`, clientUrl])].join(',')],
    ['--initial-advertise-peer-urls', peerUrl],
    ['--listen-peer-urls', peerUrl],
    ['--initial-cluster', member.initialCluster],
    ['--initial-cluster-state', 'existing'],
  ];
  for (const [flag, value] of wanted) {
    const index = flags.get(flag);
    if (index === undefined) words.add(`${flag}=${value}`);
    else words.set(index, `${flag}=${value}`);
  }
  if (document.hasIn(['metadata', 'annotations', ANNOTATION]))
    document.setIn(['metadata', 'annotations', ANNOTATION], clientUrl);
  return document.toString({ lineWidth: 0 });
}

/** The words after which etcd's static pod takes its values, as text. */
export function etcdFlags(manifest: string, where: string): Map<string, string> {
  const words = commandOf(parseDocument(manifest), where);
  return new Map(
    words.items.map((item) => [flagName(item), isScalar(item) ? String(item.value).replace(/^[^=]*=?/, '') : '']),
  );
}

function flagName(item: unknown): string {
  return isScalar(item) ? (String(item.value).split('=')[0] ?? '') : '';
}

function commandOf(document: Document, where: string): YAMLSeq {
  const containers = document.errors.length === 0 ? document.getIn(['spec', 'containers']) : undefined;
  for (const container of isSeq(containers) ? containers.items : []) {
    const command = isMap(container) && container.get('name') === 'etcd' ? container.get('command') : undefined;
    if (isSeq(command)) return command;
  }
  throw new SalvorError(
    'UnsafeState',
    `${where} is not the manifest of etcd's static pod as kubeadm writes it; look at it on the node`,
  );
}
