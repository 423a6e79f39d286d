/** The demo's objects without Kubernetes: etcd keys with an object's JSON as their values. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Etcd3 } from 'etcd3';
import { SalvorError } from '../../domain/errors.ts';
import type { Playground } from '../handle.ts';
import { forEachOf, type Remembered, type World } from './world.ts';

const KINDS = ['configmaps', 'secrets', 'tenants'];
const COUNT = 300;

export async function etcdWorld(playground: Playground, id: string): Promise<World> {
  const { ca, cert, key } = playground.etcdTls;
  const credentials = {
    rootCertificate: await readFile(ca),
    certChain: await readFile(cert),
    privateKey: await readFile(key),
  };
  const prefix = `/registry/demo-${id}/`;
  const withClient = async <T>(node: string, use: (client: Etcd3) => Promise<T>): Promise<T> => {
    const url = playground.nodes.find(({ name }) => name === node)?.clientUrl;
    if (url === undefined) throw new SalvorError('InvalidInput', `the playground has no node "${node}"`);
    // A host name is used because TLS can't be asked for an address; the members' certificates hold both.
    const client = new Etcd3({
      hosts: url,
      credentials,
      grpcOptions: { 'grpc.ssl_target_name_override': 'localhost' },
    });
    try {
      return await use(client);
    } finally {
      client.close();
    }
  };
  const read = async (node: string): Promise<Remembered> => {
    return withClient(node, async (client) => new Map(Object.entries(await client.getAll().prefix(prefix).strings())));
  };
  return {
    contents: `${COUNT} keys below ${prefix}`,
    async fill() {
      await withClient('m1', async (client) => {
        await forEachOf([...Array(COUNT).keys()], async (index) => {
          const kind = KINDS[index % KINDS.length];
          const value = JSON.stringify({ kind, index, data: randomBytes(24).toString('hex') });
          await client.put(`${prefix}${kind}/object-${index}`).value(value);
        });
      });
      return read('m1');
    },
    async destroy() {
      const { deleted } = await withClient('m1', async (client) => client.delete().prefix(prefix));
      return `${deleted} keys deleted`;
    },
    read,
  };
}
