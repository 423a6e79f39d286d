/** How a control plane is run. */

export const FLAVOURS = ['kubeadm', 'openshift', 'services', 'etcd'] as const;
export type Flavour = (typeof FLAVOURS)[number];
