/** Finding a node of the configuration. Without zod, so that workflows may import it. */
import type { ClusterNode } from './configuration/nodes.ts';
import { SalvorError } from './errors.ts';

/**
 * The node of a name.
 * @throws SalvorError `InvalidInput`, naming the nodes there are
 */
export function nodeOf(nodes: ClusterNode[], name: string): ClusterNode {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node) return node;
  throw new SalvorError(
    'InvalidInput',
    `no node is named "${name}"; there are: ${nodes.map((known) => known.name).join(', ')}`,
  );
}
