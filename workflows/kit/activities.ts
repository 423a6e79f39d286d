/** Gives the operations their activities, by the kind of work and the node it runs on. */
import { type ActivityInterfaceFor, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { FIRST_LOOK, POLICIES, type Policy, type Under } from './policies.ts';

export { FIRST_LOOK };

/** The activities of a policy, as the operations call them. */
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

/** @param node the node to look at; without it, the cluster as a whole */
export function glance(node?: ClusterNode): Asked<'glance'> {
  return under('glance', node && on(node));
}

/**
 * Runs where the credentials are: on the worker, which has the kubeconfig as a file, or on the node, whose own
 * kubeconfig is read.
 * @param within how long to keep trying; shorter for a first look at a component that may have died
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

/**
 * A node with a worker of its own has a task queue of its own. If that worker is away, the activity fails soon and
 * names the node.
 */
function on({ name, taskQueue }: ClusterNode): ActivityOptions {
  return { summary: name, ...(taskQueue !== undefined && { taskQueue, scheduleToStartTimeout: '2m' }) };
}
