/** Finds a node of the configuration. No zod: workflows import this file. */
import type { ClusterNode } from './configuration/nodes.ts';
import { SalvorError } from './errors.ts';

/**
 * The node with this name.
 * @throws SalvorError `InvalidInput`, listing the known nodes
 */
export function nodeOf(nodes: ClusterNode[], name: string): ClusterNode {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node) return node;
  throw new SalvorError(
    'InvalidInput',
    `no node is named "${name}"; there are: ${nodes.map((known) => known.name).join(', ')}`,
  );
}
