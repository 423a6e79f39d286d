/**
 * Finds the kube-apiserver addresses of a restored cluster that are left over from before the restore. Pure.
 */
import { type AftercareFinding, type ConfiguredNode, isSince, namesOf, type Written } from './aftercare.ts';

/** A kube-apiserver's registration in etcd. */
export interface SeenRegistration extends Written {
  address: string;
}

/**
 * The registrations that were not renewed since the restore. Those of kube-apiservers that aren't in the configuration
 * (`foreign`) are removed; the others (`own`) are reported.
 */
export function staleRegistrations(
  registrations: SeenRegistration[],
  configured: ConfiguredNode[],
  sinceRevision: string,
): { foreign: SeenRegistration[]; own: SeenRegistration[] } {
  const stale = registrations.filter((registration) => !isSince(registration, sinceRevision));
  const isOwn = ({ address }: SeenRegistration) => configured.some((node) => node.address === address);
  return { foreign: stale.filter((each) => !isOwn(each)), own: stale.filter(isOwn) };
}

export function registrationsFinding(live: string[], removed: string[], stuck: string[]): AftercareFinding {
  const what = 'registrations of kube-apiservers';
  const gone = removed.length === 0 ? '' : `removed ${namesOf(removed)}; `;
  if (stuck.length > 0) {
    return {
      what,
      state: 'listed',
      detail: `${gone}not renewed since the restore: ${namesOf(stuck)}`,
      advice: 'look at kube-apiserver on that node: it is in the configuration, and clients are still sent to it',
    };
  }
  const detail = `${gone}${live.length === 0 ? 'there are none' : `renewed by ${namesOf(live)}`}`;
  return { what, state: removed.length === 0 ? 'fine' : 'mended', detail };
}

/** The addresses at which pods find the API. kube-apiserver itself makes them match the registrations. */
export function endpointsFinding(what: string, before: string[], now: string[], live: string[]): AftercareFinding {
  if (live.length === 0) {
    return {
      what,
      state: 'not-checked',
      detail: `${namesOf(now)}; no kube-apiserver has registered, so there is nothing to compare with`,
    };
  }
  const stale = now.filter((address) => !live.includes(address));
  const lacking = live.filter((address) => !now.includes(address));
  if (stale.length === 0 && lacking.length === 0) {
    const gone = before.filter((address) => !now.includes(address));
    const detail = `${namesOf(now)}${gone.length > 0 ? `; ${namesOf(gone)} went` : ''}`;
    return { what, state: gone.length > 0 ? 'mended' : 'fine', detail };
  }
  const problems = [
    ...(stale.length > 0 ? [`no kube-apiserver at ${namesOf(stale)}`] : []),
    ...(lacking.length > 0 ? [`${namesOf(lacking)} is lacking`] : []),
  ];
  return {
    what,
    state: 'listed',
    detail: problems.join('; '),
    advice:
      '`kubectl -n default get endpoints,endpointslices kubernetes`; kube-apiserver corrects them every ten seconds if its --endpoint-reconciler-type is lease',
  };
}
