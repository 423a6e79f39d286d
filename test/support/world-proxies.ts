/** Puts proxies between the worker of a test's world and its other parts. */
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { PLAYGROUND_CLUSTER, type World } from './world.ts';

/** From now on, the worker reads each etcd member through a separate proxy. */
export async function proxyEtcd(world: World): Promise<TcpProxy[]> {
  const urls = world.playground.nodes.map(({ clientUrl }) => new URL(clientUrl));
  const proxies = await Promise.all(
    urls.map(async ({ hostname, port }) => await startTcpProxy(hostname, Number(port))),
  );
  await world.configure(({ clusters }) => {
    for (const [index, node] of (clusters[PLAYGROUND_CLUSTER]?.nodes ?? []).entries()) {
      const host = urls[index]?.hostname ?? '';
      Object.assign(node['etcd'] ?? {}, { clientUrl: `https://${host}:${proxies[index]?.port ?? 0}` });
    }
  });
  return proxies;
}

/** From now on, the worker reaches the store `offsite` through a proxy. */
export async function proxyS3(world: World): Promise<TcpProxy> {
  const { hostname, port } = new URL(world.playground.s3.endpoint);
  const proxy = await startTcpProxy(hostname, Number(port));
  await world.configure(({ stores }) => {
    Object.assign(stores['offsite'] ?? {}, { endpoint: `http://${hostname}:${proxy.port}` });
  });
  return proxy;
}
