/** What a replacement leaves for a person to do: everything that still names the old member's address or node. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import { remarksOf } from '../../domain/members/replacement-remarks.ts';
import type { Replacement } from '../../domain/members/replacement.ts';
import { observing } from '../kit/activities.ts';
import { reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';

export async function leftToDo(cluster: Cluster, node: ClusterNode, old: Replacement['remove']): Promise<string[]> {
  if (old === null) return [];
  const nodes = traitsOf(cluster.flavour).kubernetes?.showsApiServerFlags ? cluster.nodes : [];
  const flags = await Promise.all(
    nodes.map(async ({ name }) => {
      const asked = cluster.nodes.find((each) => each.name === name) ?? node;
      try {
        return { node: name, flags: await observing(asked).readApiServerFlags({ cluster, node: name }) };
      } catch (error) {
        rethrowUnlessActivity(error);
        return { node: name, flags: null, problem: reasonOf(error) };
      }
    }),
  );
  return remarksOf(cluster, node, old, flags);
}
