/** The steps of a restore, for the progress table, the plan and the documentation. */
import type { ClusterNode } from '../configuration/nodes.ts';
import { type Flavour, traitsOf } from '../flavours/index.ts';

export interface PlannedNode {
  name: string;
  hasApiServer: boolean;
  /** Whether controllers are stopped and started with kube-apiserver. */
  hasControllers: boolean;
}

const PLACES = {
  'each node': () => true,
  'each kube-apiserver': ({ hasApiServer }) => hasApiServer,
  'each that has controllers': ({ hasControllers }) => hasControllers,
} satisfies Record<string, (node: PlannedNode) => boolean>;

/** The parts of a node that matter to the steps of a restore. */
export function plannedNode(flavour: Flavour, { name, apiServer }: ClusterNode): PlannedNode {
  return {
    name,
    hasApiServer: apiServer !== undefined,
    hasControllers: traitsOf(flavour).kubernetes?.stopsControllers ?? false,
  };
}

interface PlaceOfStep {
  name: string;
  on: 'cluster' | keyof typeof PLACES;
}

/** The steps before anything is touched: everything that a plan needs. */
const PLANNING = [
  { name: 'Find the backup', on: 'cluster' },
  { name: 'Look at the members', on: 'cluster' },
  { name: 'Prove the backup by a trial restore', on: 'cluster' },
  { name: 'Check the node', on: 'each node' },
  { name: 'Draw the plan', on: 'cluster' },
] as const satisfies PlaceOfStep[];

/** The steps of a restore, in order, each with the place where it is done. */
const RESTORING = [
  ...PLANNING,
  { name: 'Approve the plan', on: 'cluster' },
  { name: 'Save the present state', on: 'cluster' },
  { name: 'Open the journal', on: 'each node' },
  { name: 'Stage the new data directory', on: 'each node' },
  { name: 'Look once more before the first stop', on: 'cluster' },
  { name: 'Write the journal', on: 'each node' },
  { name: 'Stop kube-apiserver', on: 'each kube-apiserver' },
  { name: 'Stop etcd', on: 'each node' },
  { name: 'Swap the data directory', on: 'each node' },
  { name: 'Start etcd', on: 'each node' },
  { name: 'Check the members', on: 'cluster' },
  { name: 'Start kube-apiserver', on: 'each kube-apiserver' },
  { name: 'Check kube-apiserver', on: 'each kube-apiserver' },
  { name: 'Write through kube-apiserver', on: 'each kube-apiserver' },
  { name: 'Prove that old watches end', on: 'each node' },
  { name: 'Start the controllers', on: 'each that has controllers' },
  { name: 'Close the journal', on: 'each node' },
  { name: 'Look after the cluster', on: 'cluster' },
] as const satisfies PlaceOfStep[];

/** The steps that are done only when needed; they are not announced. */
const UNANNOUNCED = [
  'Remove what was staged',
  // For a restore that takes over from another
  'Read the journal',
  'Look how far the node is',
  'Compare the live revision',
  'Roll back: note it in the journal',
  'Roll back: stop kube-apiserver',
  'Roll back: stop etcd',
  'Roll back: put the old data directory back',
  'Roll back: start etcd',
  'Roll back: check the members',
  'Roll back: start kube-apiserver',
  'Roll back: check kube-apiserver',
  'Roll back: start the controllers',
] as const;

type AnnouncedStep = (typeof RESTORING)[number]['name'];

export type RestoreStep = AnnouncedStep | (typeof UNANNOUNCED)[number];

export const PLANNING_STEPS: readonly RestoreStep[] = PLANNING.map(({ name }) => name);

export const RESTORE_STEPS: readonly RestoreStep[] = [...RESTORING.map(({ name }) => name), ...UNANNOUNCED];

/** Every step of a restore on every node, in order. */
export function restoreSteps(nodes: PlannedNode[]): { name: AnnouncedStep; node: string | null }[] {
  return RESTORING.flatMap(({ name, on }): { name: AnnouncedStep; node: string | null }[] => {
    if (on === 'cluster') return [{ name, node: null }];
    return nodes.filter(PLACES[on]).map((place) => ({ name, node: place.name }));
  });
}
