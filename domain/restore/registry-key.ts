/** What a key of etcd is to a person: the type and name of the object that Kubernetes keeps there. Pure. */
import { FLAVOUR_NAMES, traitsOf } from '../flavours/index.ts';

export interface RegistryName {
  /** As in `configmaps` or `certificates.cert-manager.io`; {@link OTHER_KEYS} for what is no object of Kubernetes. */
  type: string;
  /** `namespace/name`, or the name alone; of other keys the whole key. */
  name: string;
  /** It is renewed or replaced all the time, and says nothing about what somebody made. */
  noise: boolean;
}

/** The type of keys that aren't Kubernetes objects. */
export const OTHER_KEYS = 'keys';

/** Of every flavour: a key is read the same whichever it lies in. */
const PREFIXES = FLAVOUR_NAMES.flatMap((flavour) => traitsOf(flavour).kubernetes?.registryPrefixes ?? []);

/** Where a type lies under another name than the API's. */
const NAMES = new Map([
  ['minions', 'nodes'],
  ['controllers', 'replicationcontrollers'],
  ['ingress', 'ingresses'],
  ['podsecuritypolicy', 'podsecuritypolicies'],
  ['services/specs', 'services'],
  ['services/endpoints', 'endpoints'],
  ['oauth/accesstokens', 'oauthaccesstokens'],
  ['oauth/authorizetokens', 'oauthauthorizetokens'],
  ['oauth/clients', 'oauthclients'],
  ['oauth/clientauthorizations', 'oauthclientauthorizations'],
]);

/**
 * Heartbeats and elections (leases of nodes and controllers), kube-apiserver's own registration, and events, which end
 * after an hour.
 */
const NOISE = new Set(['leases', 'events', 'masterleases', 'peerserverleases']);

/** Written by kube-apiserver every five minutes, beside its prefix. */
const COMPACTION_MARK = 'compact_rev_key';

/**
 * Reads a key as kube-apiserver lays them out: `/registry/<resource>/[namespace/]<name>`, for groups with a dot in
 * their name, as all custom ones have, `/registry/<group>/<resource>/[namespace/]<name>`.
 */
export function registryName(key: string): RegistryName {
  const [root, prefix = '', ...parts] = key.split('/');
  if (root !== '' || !PREFIXES.includes(`/${prefix}`)) {
    return { type: OTHER_KEYS, name: key, noise: key === COMPACTION_MARK };
  }
  const [first = '', second = ''] = parts;
  const joined = `${first}/${second}`;
  const isGrouped = first.includes('.');
  const rest = parts.slice(isGrouped || NAMES.has(joined) ? 2 : 1);
  if (rest.length === 0 || parts.includes('')) return { type: OTHER_KEYS, name: key, noise: false };
  const name = rest.join('/');
  if (isGrouped) return { type: `${second}.${first}`, name, noise: false };
  const type = NAMES.get(joined) ?? NAMES.get(first) ?? first;
  return { type, name, noise: NOISE.has(type) };
}
