/** Finds what a restored cluster still contains from before the restore, and what to do about it. Pure. */

/** `listed`: left for a person to decide. `mended`: fixed by Salvor. */
export type AftercareState = 'mended' | 'listed' | 'fine' | 'not-checked';

export interface AftercareFinding {
  /** As in `kubelets`. */
  what: string;
  state: AftercareState;
  /** Short. */
  detail: string;
  /** What a person should do about it. */
  advice?: string;
}

export interface AftercareReport {
  found: AftercareFinding[];
}

/** Everything written after the restore has a higher revision than anything from before, so no clock is needed. */
export interface Written {
  revision: string;
}

export interface SeenNode {
  name: string;
  addresses: string[];
  /** The condition `Ready`. */
  ready: 'True' | 'False' | 'Unknown';
}

/** A lease, with the name of a Node, a controller, or any other holder. */
export interface SeenLease extends Written {
  name: string;
  /** Undefined when the lease was released. */
  holder: string | undefined;
}

export interface SeenBinding {
  /** For a pod, with its namespace. */
  name: string;
  node: string;
}

export interface SeenRequest {
  name: string;
  signer: string;
  requester: string;
}

export interface ConfiguredNode {
  name: string;
  address: string;
}

const SHOWN = 10;

/** The first names, and the number of the others. */
export function namesOf(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return `${names.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A finding that lists names, or says that everything is fine when there are none. */
function listing(what: string, names: string[], fine: string, listed: (names: string) => string, advice: string) {
  if (names.length === 0) return { what, state: 'fine', detail: fine } satisfies AftercareFinding;
  return { what, state: 'listed', detail: listed(namesOf(names)), advice } satisfies AftercareFinding;
}

export function isSince({ revision }: Written, sinceRevision: string): boolean {
  return BigInt(revision) > BigInt(sinceRevision);
}

/** A kubelet renews its node's lease every ten seconds, so a renewed lease means that the kubelet is back. */
export function kubeletsFinding(nodes: SeenNode[], leases: SeenLease[], sinceRevision: string): AftercareFinding {
  const renewed = new Set(leases.filter((lease) => isSince(lease, sinceRevision)).map(({ name }) => name));
  const silent = nodes.filter(({ name }) => !renewed.has(name)).map(({ name, ready }) => `${name} (Ready ${ready})`);
  return listing(
    'kubelets',
    silent,
    nodes.length === 0 ? 'there are no nodes' : `${nodes.length} of ${nodes.length} have renewed their leases`,
    (names) => `${silent.length} of ${nodes.length} have not renewed their leases since the restore: ${names}`,
    'if the machine exists: `systemctl restart kubelet` on it; if it is gone forever: `kubectl delete node <name>`',
  );
}

/** Covers the nodes whose kubelets are back; {@link kubeletsFinding} lists the others. */
export function readyFinding(nodes: SeenNode[], leases: SeenLease[], sinceRevision: string): AftercareFinding {
  const renewed = new Set(leases.filter((lease) => isSince(lease, sinceRevision)).map(({ name }) => name));
  const answering = nodes.filter(({ name }) => renewed.has(name));
  const unready = answering
    .filter(({ ready }) => ready !== 'True')
    .map(({ name, ready }) => `${name} (Ready ${ready})`);
  return listing(
    'nodes that answer',
    unready,
    `${answering.length} are ready`,
    (names) => `not ready: ${names}`,
    '`kubectl describe node <name>` shows why',
  );
}

/** @param areNodes whether control-plane nodes are always Node objects; if not, it is fine when none of them is */
export function missingNodesFinding(
  configured: ConfiguredNode[],
  nodes: SeenNode[],
  areNodes: boolean,
): AftercareFinding {
  const isThere = ({ name, address }: ConfiguredNode) =>
    nodes.some((node) => node.name === name || node.addresses.includes(address));
  const missing = configured.filter((node) => !isThere(node)).map(({ name }) => name);
  const what = 'nodes of the configuration';
  if (!areNodes && missing.length === configured.length) {
    return { what, state: 'fine', detail: 'none of them is a Node: the control plane runs outside the cluster' };
  }
  return listing(
    what,
    missing,
    `all ${configured.length} are Nodes`,
    (names) => `no Node object: ${names}; they joined after the backup`,
    'restart the kubelet on the node (`systemctl restart kubelet`), which registers it again; then restore its labels and taints',
  );
}

/**
 * A leader renews its lease every few seconds. One that did so since the restore is at work, with freshly read data.
 * @param releasedFrom the former holder, if Salvor has released its lease
 */
export function leaderFinding(
  name: string,
  lease: SeenLease | undefined,
  sinceRevision: string,
  releasedFrom?: string,
): AftercareFinding {
  if (lease === undefined) {
    return {
      what: name,
      state: 'not-checked',
      detail: `there is no lease kube-system/${name}: it does not run, or uses another lock for its election`,
    };
  }
  const { holder } = lease;
  if (holder !== undefined && isSince(lease, sinceRevision)) {
    const leads = `${holder} leads and has renewed its lease`;
    if (releasedFrom === undefined) return { what: name, state: 'fine', detail: leads };
    return { what: name, state: 'mended', detail: `released the lease of ${releasedFrom}; ${leads}` };
  }
  return {
    what: name,
    state: 'listed',
    detail:
      holder === undefined
        ? 'no instance has taken its lease since it was released'
        : `its lease, held by ${holder}, has not been renewed since the restore`,
    advice: `check that ${name} runs on the control-plane nodes, and read its log`,
  };
}

/** Pending certificate requests of nodes. Approving one vouches for its requester, so a person has to do it. */
export function requestsFinding(pending: SeenRequest[]): AftercareFinding {
  return listing(
    'certificate signing requests',
    pending.map(({ name, signer, requester }) => `${name} (${signer}, by ${requester})`),
    'none is pending',
    (names) => `${pending.length} pending: ${names}`,
    '`kubectl certificate approve <name>` for those of your own nodes',
  );
}

/** Pods or volume attachments that are bound to a node that doesn't exist. */
export function bindingsFinding(what: string, lost: SeenBinding[], advice: string): AftercareFinding {
  const nodes = new Set(lost.map(({ node }) => node));
  return listing(
    what,
    lost.map(({ name, node }) => `${name} on ${node}`),
    'all are on existing nodes',
    (names) =>
      `${lost.length} on ${nodes.size} ${nodes.size === 1 ? 'node that does' : 'nodes that do'} not exist: ${names}`,
    advice,
  );
}
