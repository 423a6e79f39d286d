/** Free ports. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { SalvorError } from '../domain/errors.ts';

/** Whether a server could listen on the port now. */
export async function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Hands out ports: the preferred one if it is free, else another; no port twice. */
export function portChooser(preferDefaults: boolean): (address: string, preferred: number) => Promise<number> {
  const given = new Set<string>();
  return async (address, preferred) => {
    for (let turn = 0; turn < 200; turn++) {
      // Below the ports that systems use for outgoing connections (from 32768 or 49152), so a stopped part keeps its
      // port.
      const port = turn === 0 && preferDefaults ? preferred : randomInt(20_000, 32_000);
      const place = `${address}:${port}`;
      if (given.has(place) || !(await isFree(address, port))) continue;
      given.add(place);
      return port;
    }
    throw new SalvorError('ComponentStuck', `no free port on ${address} among 200 tried between 20000 and 32000`);
  };
}
