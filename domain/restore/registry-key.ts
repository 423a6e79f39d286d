/** Turns an etcd key into the type and name of the Kubernetes object that is stored under it. Pure. */
import { FLAVOUR_NAMES, traitsOf } from '../flavours/index.ts';

export interface RegistryName {
  /** As in `configmaps` or `certificates.cert-manager.io`; {@link OTHER_KEYS} for what isn't a Kubernetes object. */
  type: string;
  /** `namespace/name`, or only the name; for other keys, the whole key. */
  name: string;
  /** Whether it is renewed or replaced all the time and so says nothing about what somebody created. */
  noise: boolean;
}

/** The type of keys that aren't Kubernetes objects. */
export const OTHER_KEYS = 'keys';

/** The prefixes of all flavours: a key is parsed in the same way in each of them. */
const PREFIXES = FLAVOUR_NAMES.flatMap((flavour) => traitsOf(flavour).kubernetes?.registryPrefixes ?? []);

/** The types whose name in etcd differs from their name in the API. */
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
 * Heartbeats and elections (leases of nodes and controllers), kube-apiserver's own registrations, and events, which
 * expire after an hour.
 */
const NOISE = new Set(['leases', 'events', 'masterleases', 'peerserverleases']);

/** kube-apiserver writes it every five minutes, outside its prefix. */
const COMPACTION_MARK = 'compact_rev_key';

/**
 * Parses a key in kube-apiserver's layout: `/registry/<resource>/[namespace/]<name>`, or, for groups with a dot in
 * their name (as all custom groups have), `/registry/<group>/<resource>/[namespace/]<name>`.
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
