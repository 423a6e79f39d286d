/** All flavours. A new one is a file here, a file in `adapters/flavours/`, and its name in both tables. */
import { etcd } from './etcd.ts';
import { kubeadm } from './kubeadm.ts';
import { openshift } from './openshift.ts';
import { services } from './services.ts';
import type { Traits } from './traits.ts';

const FLAVOURS = {
  kubeadm,
  openshift,
  services,
  etcd,
} satisfies Record<string, Traits>;

/** How a control plane is run. */
export type Flavour = keyof typeof FLAVOURS;

/** In the order in which people see them. */
export const FLAVOUR_NAMES: readonly Flavour[] = Object.keys(FLAVOURS).filter((name) => isFlavour(name));

export function traitsOf(flavour: Flavour): Traits {
  return FLAVOURS[flavour];
}

function isFlavour(name: string): name is Flavour {
  return Object.hasOwn(FLAVOURS, name);
}
