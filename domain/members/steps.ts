/** What a replacement does, step by step. */

export interface ReplacementKind {
  /** The name of the node that gets the member. */
  node: string;
  /** Whether kube-apiserver, which has no other etcd than the node's own, is stopped meanwhile. */
  stopsApiServer: boolean;
  /** Whether the node makes its member itself, by `kubeadm join`. */
  joinsItself: boolean;
}

const BEFORE = ['Look at the members', 'Choose the member', 'Check the node', 'Take a backup', 'Look once more before the change'];

/** Every step of a replacement, in order. */
export function replacementSteps(): { name: string; node: string | null }[] {
  return BEFORE.map((name) => ({ name, node: null }));
}

/** The steps once it is known what is replaced. */
export function changingSteps({
  node,
  stopsApiServer,
  joinsItself,
}: ReplacementKind): { name: string; node: string | null }[] {
  const here = (name: string) => ({ name, node });
  const cluster = (name: string) => ({ name, node: null });
  const withApiServer = (...names: string[]) => (stopsApiServer ? names.map(here) : []);
  if (joinsItself) {
    return [cluster('Remove the member'), here('Join the node with kubeadm'), cluster('Check the members')];
  }
  return [
    cluster('Move the leadership away'),
    ...withApiServer('Stop kube-apiserver'),
    here('Stop etcd'),
    here('Set the old data aside'),
    cluster('Remove the member'),
    cluster('Add a learner'),
    here('Write its configuration'),
    here('Start etcd'),
    here('Wait until it is in sync'),
    here('Promote it'),
    cluster('Check the members'),
    ...withApiServer('Start kube-apiserver', 'Check kube-apiserver', 'Start the controllers'),
  ];
}
