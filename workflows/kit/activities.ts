/** How the stories ask for activities: by what kind of work it is, and on which node. */
import { type ActivityInterfaceFor, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { FIRST_LOOK, POLICIES, type Policy, type Under } from './policies.ts';

export { FIRST_LOOK };

/** The activities of a policy, as they are called. */
type Asked<P extends Policy> = ActivityInterfaceFor<Under<P>>;

export const lock = under('lock');
export const look = under('look');
export const tidy = under('tidy');
export const stream = under('stream');
export const snapshots = under('snapshot');
export const gate = under('gate');
export const care = under('care');

export function archiving(node: ClusterNode): Asked<'archive'> {
  return under('archive', on(node));
}

export function preparing(node: ClusterNode): Asked<'prepare'> {
  return under('prepare', on(node));
}

export function staging(node: ClusterNode): Asked<'stage'> {
  return under('stage', on(node));
}

export function observing(node: ClusterNode): Asked<'observe'> {
  return under('observe', { ...on(node), ...(node.taskQueue !== undefined && { scheduleToStartTimeout: '20s' }) });
}

export function changing(node: ClusterNode): Asked<'change'> {
  return under('change', on(node));
}

export function once(node: ClusterNode): Asked<'once'> {
  return under('once', on(node));
}

/** @param node where the first look is taken; without one it is at the cluster as a whole */
export function glance(node?: ClusterNode): Asked<'glance'> {
  return under('glance', node && on(node));
}

/**
 * From where the credentials are: a kubeconfig is a file of the worker; without one the node's own is read.
 * @param within how long a look is tried; shorter for a first one at what may have died
 */
export function asClient(cluster: Cluster, node: ClusterNode, within?: typeof FIRST_LOOK): Asked<'client'> {
  return under('client', {
    ...(cluster.kubeconfig === undefined ? on(node) : { summary: node.name }),
    ...(within !== undefined && { scheduleToCloseTimeout: within }),
  });
}

function under<P extends Policy>(policy: P, options: ActivityOptions = {}): Asked<P> {
  return proxyActivities<Under<P>>({ ...POLICIES[policy], ...options });
}

/** A node with a worker of its own has a queue of its own; a worker that is away is a fast, named failure. */
function on({ name, taskQueue }: ClusterNode): ActivityOptions {
  return { summary: name, ...(taskQueue !== undefined && { taskQueue, scheduleToStartTimeout: '2m' }) };
}
