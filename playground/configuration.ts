/** The files through which people and programs use a playground: `salvor.yaml` and kubeconfigs. */
import { stringify } from 'yaml';
import { parseConfiguration } from '../domain/configuration/resolve.ts';
import { apiServerUrl, clientUrl, peerUrl } from './parts.ts';
import type { Lab, LabNode } from './lab/lab.ts';
import { BUCKET, CLUSTER, LOOPBACK, type Paths, type State, type StateNode } from './state.ts';

/**
 * The text of `salvor.yaml`, checked the way a worker would check it.
 * @param lab the lab, if it is the control plane
 */
export function configurationText(state: State, paths: Paths, lab?: Lab): string {
  const configuration = {
    stores: {
      local: { type: 'filesystem', path: paths.localStore, retention: { keepLast: 10 } },
      offsite: {
        type: 's3',
        bucket: BUCKET,
        endpoint: `http://${LOOPBACK}:${state.s3.port}`,
        pathStyle: true,
        credentials: {
          accessKeyId: { file: paths.accessKeyId },
          secretAccessKey: { file: paths.secretAccessKey },
        },
        retention: { keepWithin: '7d', atLeast: 3 },
      },
    },
    clusters: {
      [CLUSTER]: {
        stores: ['local', 'offsite'],
        compression: 'zstd',
        schedules: { backup: { every: '6h', jitter: '1m' }, prune: { every: '1d' } },
        ...(lab ? { ...labControlPlane(lab), kubeconfig: lab.kubeconfig } : ownControlPlane(state, paths)),
      },
    },
  };
  parseConfiguration(configuration, paths.configuration);
  return `# A playground's configuration; every "salvor playground up" rewrites it.\n${stringify(configuration)}`;
}

/** The configuration that an operator writes for kubeadm nodes over SSH: the lab's, or the given ones. */
export function labControlPlane(
  { nodes: all, ssh: { user, identityFile, knownHostsFile } }: Lab,
  nodes: readonly LabNode[] = all,
) {
  const connection = { ssh: { user, sudo: true, identityFile, knownHostsFile } };
  return { flavour: 'kubeadm', nodes: nodes.map(({ name, address }) => ({ name, address, connection })) };
}

function ownControlPlane(state: State, paths: Paths) {
  const service = (script: string): Record<'start' | 'stop' | 'status', string[]> => {
    return { start: [script, 'start'], stop: [script, 'stop'], status: [script, 'status'] };
  };
  return {
    flavour: state.kubernetes ? 'services' : 'etcd',
    etcd: {
      tls: {
        ca: paths.certificate('ca'),
        cert: paths.certificate('etcd-client'),
        key: paths.key('etcd-client'),
      },
    },
    ...(state.kubernetes && { kubeconfig: paths.kubeconfig }),
    staticResources: { paths: [paths.certificates] },
    nodes: state.nodes.map((node) => ({
      name: node.name,
      address: node.address,
      connection: 'local',
      etcd: {
        clientUrl: clientUrl(node),
        peerUrl: peerUrl(node),
        dataDir: paths.dataDir(node.name),
        configuration: paths.etcdService(node.name),
        service: service(paths.etcdService(node.name)),
      },
      ...(state.kubernetes && {
        apiServer: {
          url: apiServerUrl(node),
          ca: paths.certificate('ca'),
          service: service(paths.apiServerService(node.name)),
        },
      }),
    })),
  };
}

/** A kubeconfig with a context for each node, the first one current; the user is an administrator. */
export function kubeconfigText(nodes: readonly StateNode[], paths: Paths): string {
  const user = 'playground-admin';
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': nodes[0]?.name,
    clusters: nodes.map((node) => ({
      name: node.name,
      cluster: { server: apiServerUrl(node), 'certificate-authority': paths.certificate('ca') },
    })),
    users: [
      { name: user, user: { 'client-certificate': paths.certificate('admin'), 'client-key': paths.key('admin') } },
    ],
    contexts: nodes.map((node) => ({ name: node.name, context: { cluster: node.name, user } })),
  });
}
