/** The steps of a replacement. */

export interface ReplacementKind {
  /** The name of the node that gets the member. */
  node: string;
  /** Whether kube-apiserver is stopped meanwhile, because it uses only the etcd of its own node. */
  stopsApiServer: boolean;
  /** Whether the node adds its member itself, by `kubeadm join`. */
  joinsItself: boolean;
}

/** The steps until the member is chosen and was checked again. */
const CHOOSING = [
  'Look at the members',
  'Choose the member',
  'Check the node',
  'Take a backup',
  'Look once more before the change',
] as const;

interface PlaceOfStep {
  name: string;
  on: 'cluster' | 'the node';
  /** Done only if kube-apiserver is stopped meanwhile. */
  withApiServer?: true;
}

/** The steps when the node adds its member itself. */
const JOINING = [
  { name: 'Remove the member', on: 'cluster' },
  { name: 'Join the node with kubeadm', on: 'the node' },
  { name: 'Check the members', on: 'cluster' },
] as const satisfies PlaceOfStep[];

const CHANGING = [
  { name: 'Move the leadership away', on: 'cluster' },
  { name: 'Stop kube-apiserver', on: 'the node', withApiServer: true },
  { name: 'Stop etcd', on: 'the node' },
  { name: 'Set the old data aside', on: 'the node' },
  { name: 'Remove the member', on: 'cluster' },
  { name: 'Add a learner', on: 'cluster' },
  { name: 'Write its configuration', on: 'the node' },
  { name: 'Start etcd', on: 'the node' },
  { name: 'Wait until it is in sync', on: 'the node' },
  { name: 'Promote it', on: 'the node' },
  { name: 'Check the members', on: 'cluster' },
  { name: 'Start kube-apiserver', on: 'the node', withApiServer: true },
  { name: 'Check kube-apiserver', on: 'the node', withApiServer: true },
  { name: 'Start the controllers', on: 'the node', withApiServer: true },
] as const satisfies PlaceOfStep[];

const ROLLING_BACK = [
  'Roll back: put the old data back',
  'Roll back: start etcd',
  'Roll back: start kube-apiserver',
  'Roll back: start the controllers',
] as const;

export type ReplacementStep =
  (typeof CHOOSING | typeof ROLLING_BACK)[number] | (typeof JOINING | typeof CHANGING)[number]['name'];

export const REPLACEMENT_STEPS: readonly ReplacementStep[] = [
  ...new Set([...CHOOSING, ...[...CHANGING, ...JOINING].map(({ name }) => name), ...ROLLING_BACK]),
];

interface ComingReplacementStep {
  name: ReplacementStep;
  node: string | null;
}

/** The first steps of a replacement, in order. */
export function replacementSteps(): ComingReplacementStep[] {
  return CHOOSING.map((name) => ({ name, node: null }));
}

/** The remaining steps, known once the member is chosen. */
export function changingSteps({ node, stopsApiServer, joinsItself }: ReplacementKind): ComingReplacementStep[] {
  const steps = joinsItself ? JOINING : CHANGING.filter((step) => stopsApiServer || !('withApiServer' in step));
  return steps.map(({ name, on }) => ({ name, node: on === 'cluster' ? null : node }));
}
