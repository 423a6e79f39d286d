/** Writes the manifest of a kubeadm node's etcd for a joining member, as `kubeadm join` itself would. */
import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLSeq } from 'yaml';
import { flagOf, notTheManifest } from './manifest.ts';

export interface JoiningMember {
  name: string;
  clientUrl: string;
  peerUrl: string;
  /** For example `n1=https://10.0.0.1:2380,n3=https://10.0.0.3:2380`. */
  initialCluster: string;
}

/** kubeadm finds the members of a cluster by it. */
const ANNOTATION = 'kubeadm.kubernetes.io/etcd.advertise-client-urls';

/**
 * The manifest with the member's name, addresses and initial cluster; everything else stays as it is.
 * @param where named in messages: node and file
 * @throws SalvorError `UnsafeState` for a text that is not a manifest of etcd
 */
export function joiningManifest(manifest: string, member: JoiningMember, where: string): string {
  const document = parseDocument(manifest);
  const words = commandOf(document, where);
  const flags = new Map(words.items.map((item, index) => [isScalar(item) ? flagOf(String(item.value))[0] : '', index]));
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

/** The command's nodes in the document itself: they are changed in place, and comments stay. */
function commandOf(document: Document, where: string): YAMLSeq {
  const containers = document.errors.length === 0 ? document.getIn(['spec', 'containers']) : undefined;
  for (const container of isSeq(containers) ? containers.items : []) {
    const command = isMap(container) && container.get('name') === 'etcd' ? container.get('command') : undefined;
    if (isSeq(command)) return command;
  }
  throw notTheManifest('etcd', where);
}
