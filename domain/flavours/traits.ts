/** What the rest of Salvor asks about a flavour, which is a way to run a control plane. */

export interface Traits {
  /**
   * Whether Salvor can only back it up. Such a cluster isn't restored in place, none of its members is replaced, and
   * nobody looks at etcd on its nodes.
   */
  isBackupOnly: boolean;
  /**
   * Whether the configuration must give the commands that start, stop and look at each component: `etcd.service`,
   * `apiServer.service`.
   */
  needsCommands: boolean;
  /**
   * What a backup keeps of each node beside the snapshot, unless the configuration names paths. A `*` in the last part
   * stands for any characters.
   */
  staticPaths: readonly string[];
  /**
   * What tells before a backup whether the cluster has settled: the certificates and manifests on its nodes, or the
   * operators that roll out its static pods. Null: nothing does.
   */
  settlesBy: 'node files' | 'operators' | null;
  etcd: EtcdTraits;
  /** Null for etcd alone: its keys are nobody's objects, and no node has a kube-apiserver. */
  kubernetes: KubernetesTraits | null;
}

export interface EtcdTraits {
  /** Whether its members speak TLS whatever the configuration says. Elsewhere they do when it has `etcd.tls`. */
  hasTls: boolean;
  /** Files on each node with which its members can be asked. Null: only the configuration's `etcd.tls` will do. */
  clientCertificate: { ca: string; cert: string; key: string } | null;
  /**
   * Whether a member compares its keys with every other member's before it answers anyone (etcd's
   * `InitialCorruptCheck`). Members that start together then wait for each other, 7 s for each peer: they are started
   * in turn, and connections on which they still wait are ended. Under a service manager a member may count as
   * started only when the others are there, so there it must be false.
   */
  comparesBeforeServing: boolean;
}

export interface KubernetesTraits {
  /**
   * Below which its API servers keep their objects in etcd: one name each, as in `/registry`. The first is
   * kube-apiserver's own.
   */
  registryPrefixes: readonly [string, ...string[]];
  /**
   * Whether kube-apiserver has no other etcd than its own node's: it is then stopped before its member is taken away,
   * and started after.
   */
  hasOwnEtcdOnly: boolean;
  /**
   * Whether kube-controller-manager and kube-scheduler stop and start with kube-apiserver. Elsewhere they are left to
   * whatever runs them.
   */
  stopsControllers: boolean;
  /** Whether the machines of its control plane are always Nodes of the cluster. */
  runsOnNodes: boolean;
  /**
   * Where an administrator's kubeconfig may lie on a node, best first. Empty: only the configuration's `kubeconfig`
   * will do.
   */
  adminKubeconfigs: readonly string[];
  /** Whether a node shows with which flags its kube-apiserver is started. */
  showsApiServerFlags: boolean;
  /**
   * What a person does to let a node without a control plane make its own member. Null: no node of this flavour does.
   */
  joinInstruction: ((order: JoinOrder) => string) | null;
}

export interface JoinOrder {
  cluster: string;
  /** The node that joins. */
  node: { name: string; address: string };
  /** A node whose member is healthy. */
  through: string;
}
