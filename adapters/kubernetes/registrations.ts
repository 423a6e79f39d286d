/**
 * kube-apiservers' own registrations, from which each of them builds the addresses of the service `kubernetes`. They
 * are in etcd along with the objects, but not in the API.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AftercareFinding } from '../../domain/restore/aftercare.ts';
import { registrationsFinding, type SeenRegistration, staleRegistrations } from '../../domain/restore/api-addresses.ts';
import type { KeyVersion } from '../../domain/restore/changes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import { withAnyMember } from '../etcd/any-member.ts';
import type { Member } from '../etcd/member.ts';

/** They are renewed every ten seconds, and expire after fifteen if their lease was restored with them. */
const GRACE_MS = 20_000;
const POLL_MS = 2_000;

export interface Tended {
  finding: AftercareFinding;
  /** The addresses of kube-apiservers that have registered since. */
  live: string[];
}

/**
 * Removes registrations of kube-apiservers that the configuration doesn't name, if they haven't been renewed since a
 * revision: clients are sent to these addresses. A kube-apiserver that still runs registers again.
 * @throws SalvorError what the last member threw, when no member can be used
 */
export async function tendRegistrations(cluster: Cluster, sinceRevision: string, signal: AbortSignal): Promise<Tended> {
  const endMs = Date.now() + GRACE_MS;
  const names = cluster.nodes.map(({ name }) => name);
  for (;;) {
    const seen = await withAnyMember(
      cluster,
      names,
      signal,
      async (member) => await readRegistrations(member, cluster, signal),
    );
    const { foreign, own } = staleRegistrations(seen, cluster.nodes, sinceRevision);
    const stale = [...foreign, ...own];
    if (stale.length > 0 && Date.now() < endMs) {
      await delay(POLL_MS, undefined, { signal });
      continue;
    }
    const removed: string[] = [];
    for (const { address, key } of seen.filter((each) => foreign.includes(each))) {
      const isGone = await withAnyMember(
        cluster,
        names,
        signal,
        async (member) => await member.deleteUnchanged(signal, key),
      );
      if (isGone) removed.push(address);
    }
    const addresses = (list: SeenRegistration[]) => list.map(({ address }) => address);
    const live = addresses(seen.filter((each) => !stale.includes(each)));
    return { finding: registrationsFinding(live, removed, addresses(own)), live };
  }
}

type KeyedRegistration = SeenRegistration & { key: KeyVersion };

async function readRegistrations(member: Member, cluster: Cluster, signal: AbortSignal): Promise<KeyedRegistration[]> {
  const { kubernetes } = traitsOf(cluster.flavour);
  if (kubernetes === null) return [];
  const prefix = `${kubernetes.registryPrefixes[0]}/masterleases/`;
  const { revision } = await member.status(signal);
  const found: KeyedRegistration[] = [];
  for await (const page of member.keys(signal, revision, prefix)) {
    for (const key of page) {
      found.push({ address: key.key.toString('utf8').slice(prefix.length), revision: key.modRevision, key });
    }
  }
  return found;
}
