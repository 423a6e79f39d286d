/** What the rest of Salvor needs to know about a flavour. A flavour is a way to run a control plane. */

export interface Traits {
  /**
   * Whether Salvor can only back it up. Such a cluster isn't restored in place, its members aren't replaced, and Salvor
   * doesn't check how etcd runs on its nodes.
   */
  isBackupOnly: boolean;
  /**
   * Whether the configuration must give the commands that start, stop and check each component: `etcd.service`,
   * `apiServer.service`.
   */
  needsCommands: boolean;
  /**
   * The paths that a backup keeps of each node in addition to the snapshot, unless the configuration names others. A
   * `*` in the last part stands for any characters.
   */
  staticPaths: readonly string[];
  /**
   * How a backup finds out whether the cluster has settled: from the certificates and manifests on its nodes, or from
   * the operators that roll out its static pods. Null: there is no way to find out.
   */
  settlesBy: 'node files' | 'operators' | null;
  etcd: EtcdTraits;
  /** Null for bare etcd: its keys are not Kubernetes objects, and no node has a kube-apiserver. */
  kubernetes: KubernetesTraits | null;
}

export interface EtcdTraits {
  /** Whether its members always use TLS. If false, they use it when the configuration has `etcd.tls`. */
  hasTls: boolean;
  /** A client certificate for etcd on each node. Null: only the configuration's `etcd.tls` will do. */
  clientCertificate: { ca: string; cert: string; key: string } | null;
  /**
   * Whether a member compares its keys with every other member's before it answers anyone (etcd's
   * `InitialCorruptCheck`). If members start together, each waits for the others, 7 s per peer. So they are started one
   * after another, and connections on which they still wait are closed. It must be false under a service manager, where
   * a member may only count as started once the others are there.
   */
  comparesBeforeServing: boolean;
}

export interface KubernetesTraits {
  /**
   * The prefixes of the keys in etcd under which its API servers keep their objects, one name each, as in `/registry`.
   * The first belongs to kube-apiserver.
   */
  registryPrefixes: readonly [string, ...string[]];
  /**
   * Whether each kube-apiserver uses only the etcd on its own node. It is then stopped before that member is removed,
   * and started afterwards.
   */
  hasOwnEtcdOnly: boolean;
  /**
   * Whether kube-controller-manager and kube-scheduler are stopped and started along with kube-apiserver. If false,
   * they are left to whatever runs them.
   */
  stopsControllers: boolean;
  /** Whether the machines of its control plane are always Node objects of the cluster. */
  runsOnNodes: boolean;
  /**
   * Where a node may have an administrator's kubeconfig, best first. Empty: only the configuration's `kubeconfig` will
   * do.
   */
  adminKubeconfigs: readonly string[];
  /** Whether the flags of its kube-apiserver can be read on a node. */
  showsApiServerFlags: boolean;
  /**
   * What a person has to do for a node without a control plane to create its own member. Null: nodes of this flavour
   * don't.
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
