/** The types of objects that a kube-apiserver keeps in its etcd, and the path that lists each. */
import { z } from 'zod';

export interface ResourceType {
  /** For example `apps/v1/deployments` or `v1/configmaps`. */
  name: string;
  path: string;
}

const groupsSchema = z.object({
  groups: z.array(z.object({ name: z.string(), versions: z.array(z.object({ groupVersion: z.string() })) })),
});
const resourcesSchema = z.object({
  resources: z.array(z.object({ name: z.string(), verbs: z.array(z.string()) })),
});
const apiServiceSchema = z.object({
  spec: z.object({ group: z.string().default(''), version: z.string(), service: z.unknown().optional() }),
});
const definitionSchema = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ plural: z.string() }),
    versions: z.array(z.object({ name: z.string(), served: z.boolean(), storage: z.boolean() })),
  }),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish() }).optional(),
});

/** One is made up by the server on request, the other is a second name of a type that is already listed. */
const NOT_STORED = ['componentstatuses.', 'events.events.k8s.io'];

export interface Reader {
  /** The answer to a GET of this path. */
  get: (path: string) => Promise<unknown>;
  /** Every object of a list. */
  all: (path: string) => AsyncIterable<unknown>;
}

/**
 * Every type once, in the version that the server prefers; custom types in the version in which they are stored, so
 * that no conversion webhook of the cluster is called. APIs of other servers (`spec.service` of an APIService) are left
 * out: their objects aren't in etcd.
 */
export async function resourceTypes(reader: Reader): Promise<ResourceType[]> {
  const types = new Map<string, ResourceType>();
  const add = (group: string, version: string, resource: string) => {
    const groupVersion = group === '' ? version : `${group}/${version}`;
    const path = `/${group === '' ? 'api' : 'apis'}/${groupVersion}/${resource}`;
    const id = `${resource}.${group}`;
    if (!types.has(id) && !NOT_STORED.includes(id)) types.set(id, { name: `${groupVersion}/${resource}`, path });
  };

  for await (const item of reader.all('/apis/apiextensions.k8s.io/v1/customresourcedefinitions')) {
    const { spec, status } = definitionSchema.parse(item);
    const established = status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True');
    const served = spec.versions.filter((version) => version.served);
    const version = served.find(({ storage }) => storage) ?? served[0];
    if (established && version) add(spec.group, version.name, spec.names.plural);
  }

  const elsewhere = new Set<string>();
  for await (const item of reader.all('/apis/apiregistration.k8s.io/v1/apiservices')) {
    const { spec } = apiServiceSchema.parse(item);
    if (spec.service) elsewhere.add(`${spec.group}/${spec.version}`);
  }

  const { groups } = groupsSchema.parse(await reader.get('/apis'));
  const versions = groups.flatMap((group) => group.versions.map(({ groupVersion }) => groupVersion));
  for (const groupVersion of ['v1', ...versions.filter((each) => !elsewhere.has(each))]) {
    const [group, version] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion];
    const { resources } = resourcesSchema.parse(await reader.get(`/${group ? 'apis' : 'api'}/${groupVersion}`));
    for (const { name, verbs } of resources) {
      if (verbs.includes('list')) add(group ?? '', version ?? '', name);
    }
  }
  return [...types.values()];
}
