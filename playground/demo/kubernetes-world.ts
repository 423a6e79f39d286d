/**
 * The demo's objects, written and read through the Kubernetes API: namespaces, config maps, secrets, and a custom
 * resource with its definition.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ApiextensionsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type V1ObjectMeta,
} from '@kubernetes/client-node';
import { z } from 'zod';
import { SalvorError } from '../../domain/errors.ts';
import type { Playground } from '../handle.ts';
import { forEachOf, type Remembered, type World } from './world.ts';

const TEAMS = ['billing', 'identity', 'search', 'shop'];
const COUNTS = { configMaps: 120, secrets: 90, tenants: 85 };
const TENANTS = { group: 'demo.example.com', version: 'v1', plural: 'tenants' };
const DEFINITION = `${TENANTS.plural}.${TENANTS.group}`;
const SETTLED_WITHIN_MS = 60_000;

const tenantsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string(), uid: z.string() }),
      spec: z.record(z.string(), z.unknown()),
    }),
  ),
});

function clients(playground: Playground, node: string) {
  const config = new KubeConfig();
  config.loadFromFile(playground.kubeconfig ?? '');
  config.setCurrentContext(node);
  return {
    core: config.makeApiClient(CoreV1Api),
    definitions: config.makeApiClient(ApiextensionsV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
  };
}
type Clients = ReturnType<typeof clients>;

export function kubernetesWorld(playground: Playground, id: string): World {
  const namespaces = TEAMS.map((team) => `demo-${id}-${team}`);
  const namespaceOf = (index: number): string => namespaces[index % namespaces.length] ?? '';
  const read = async (node: string): Promise<Remembered> => readAll(clients(playground, node), namespaces);
  const total = namespaces.length + 1 + COUNTS.configMaps + COUNTS.secrets + COUNTS.tenants;
  return {
    contents: `${total} objects: ${namespaces.length} namespaces, ${COUNTS.configMaps} config maps, ${COUNTS.secrets} secrets, the custom resource definition ${DEFINITION} and ${COUNTS.tenants} of its tenants`,
    async fill() {
      const { core, definitions, custom } = clients(playground, 'm1');
      await forEachOf(namespaces, async (name) => core.createNamespace({ body: { metadata: { name } } }));
      await provideDefinition(definitions);
      await forEachOf([...Array(COUNTS.configMaps).keys()], async (index) => {
        const data = { 'settings.json': JSON.stringify({ index, salt: randomBytes(12).toString('hex') }) };
        const body = { metadata: { name: `settings-${index}` }, data };
        await core.createNamespacedConfigMap({ namespace: namespaceOf(index), body });
      });
      await forEachOf([...Array(COUNTS.secrets).keys()], async (index) => {
        const body = { metadata: { name: `token-${index}` }, data: { token: randomBytes(24).toString('base64') } };
        await core.createNamespacedSecret({ namespace: namespaceOf(index), body });
      });
      await forEachOf([...Array(COUNTS.tenants).keys()], async (index) => {
        const spec = { owner: `team-${index % 7}`, seats: index };
        const body = {
          apiVersion: `${TENANTS.group}/${TENANTS.version}`,
          kind: 'Tenant',
          metadata: { name: `tenant-${index}` },
          spec,
        };
        await custom.createNamespacedCustomObject({ ...TENANTS, namespace: namespaceOf(index), body });
      });
      return read('m1');
    },
    async destroy() {
      const { core, definitions } = clients(playground, 'm1');
      await forEachOf(namespaces, async (namespace) => {
        await core.deleteCollectionNamespacedConfigMap({ namespace });
        await core.deleteCollectionNamespacedSecret({ namespace });
      });
      await definitions.deleteCustomResourceDefinition({ name: DEFINITION });
      const giveUpAt = Date.now() + SETTLED_WITHIN_MS;
      for (;;) {
        const left = [...(await read('m1')).keys()].filter((name) => !name.startsWith('namespace '));
        if (left.length === 0)
          return `config maps and secrets deleted, and with the definition ${DEFINITION} every tenant`;
        if (Date.now() > giveUpAt) {
          throw new SalvorError(
            'ClusterNotReady',
            `${left.length} deleted objects are still there after a minute, the first: ${left[0]}`,
          );
        }
        await delay(100);
      }
    },
    read,
  };
}

async function provideDefinition(definitions: Clients['definitions']): Promise<void> {
  const exists = await orUndefined(async () => definitions.readCustomResourceDefinition({ name: DEFINITION }));
  if (!exists) {
    const { group, version, plural } = TENANTS;
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: { type: 'object', properties: { owner: { type: 'string' }, seats: { type: 'integer' } } },
        },
      },
    };
    await definitions.createCustomResourceDefinition({
      body: {
        metadata: { name: DEFINITION },
        spec: {
          group,
          scope: 'Namespaced',
          names: { plural, singular: 'tenant', kind: 'Tenant' },
          versions: [{ name: version, served: true, storage: true, schema }],
        },
      },
    });
  }
  const giveUpAt = Date.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const { status } = await definitions.readCustomResourceDefinition({ name: DEFINITION });
    if (status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')) return;
    if (Date.now() > giveUpAt)
      throw new SalvorError('ClusterNotReady', `${DEFINITION} is not established after a minute`);
    await delay(100);
  }
}

/** Every object of the demo: its identity and its content. */
async function readAll({ core, definitions, custom }: Clients, namespaces: readonly string[]): Promise<Remembered> {
  const found = new Map<string, string>();
  const remember = (kind: string, metadata: V1ObjectMeta | undefined, content: unknown): void => {
    const { namespace, name = '', uid } = metadata ?? {};
    found.set(`${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`, JSON.stringify({ uid, content }));
  };
  for (const { metadata, spec } of (await core.listNamespace()).items) {
    if (namespaces.includes(metadata?.name ?? '')) remember('namespace', metadata, spec);
  }
  const definition = await orUndefined(async () => definitions.readCustomResourceDefinition({ name: DEFINITION }));
  if (definition) remember('definition', definition.metadata, definition.spec);
  for (const namespace of namespaces) {
    for (const { metadata, data } of (await core.listNamespacedConfigMap({ namespace })).items) {
      remember('config map', metadata, data);
    }
    for (const { metadata, data } of (await core.listNamespacedSecret({ namespace })).items) {
      remember('secret', metadata, data);
    }
    const tenants = await orUndefined(async () => custom.listNamespacedCustomObject({ ...TENANTS, namespace }));
    if (tenants === undefined) continue;
    for (const { metadata, spec } of tenantsSchema.parse(tenants).items) remember('tenant', metadata, spec);
  }
  return found;
}

/**
 * The result, or undefined if the API answers 404. The request is repeated while the API answers 429, as a server does
 * that has just learnt of a definition.
 */
async function orUndefined<T>(request: () => Promise<T>): Promise<T | undefined> {
  const giveUpAt = Date.now() + SETTLED_WITHIN_MS;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 404) return undefined;
      if (code !== 429 || Date.now() > giveUpAt) throw error;
      await delay(200);
    }
  }
}
