/** A proxy in front of a server that counts the traffic, and holds it up on request. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  port: number;
  /** The bytes that clients sent, since the last `forget`. */
  sentBytes: () => number;
  /** The bytes that the server answered with, since the last `forget`. */
  answeredBytes: () => number;
  /** The request lines of HTTP requests, since the last `forget`. */
  requests: () => string[];
  forget: () => void;
  /** Holds a connection up once it matches, by its last request line or by the bytes answered on it. */
  hold: (when: { request?: RegExp; answeredBytes?: number }) => void;
  release: () => void;
  close: () => void;
}

/** @param host the address on which both the proxy and the server listen */
export async function startTcpProxy(host: string, serverPort: number): Promise<TcpProxy> {
  let requests: string[] = [];
  let sent = 0;
  let answered = 0;
  let held: Parameters<TcpProxy['hold']>[0] | undefined;
  let released = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    const upstream = connect(serverPort, host);
    let request = '';
    let answeredHere = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    }
    const isHeld = () =>
      held !== undefined && ((held.request?.test(request) ?? false) || answeredHere > (held.answeredBytes ?? Infinity));
    void forward(client, upstream, (chunk) => {
      sent += chunk.length;
      const line = /^[A-Z]{3,7} \S+ HTTP\/1/.exec(chunk.toString('latin1', 0, 2_000))?.[0];
      if (line === undefined) return;
      request = line;
      requests.push(line);
    });
    void forward(upstream, client, (chunk) => {
      answered += chunk.length;
      answeredHere += chunk.length;
    });

    async function forward(from: Socket, to: Socket, note: (chunk: Buffer) => void): Promise<void> {
      try {
        for await (const chunk of from) {
          note(chunk as Buffer);
          while (isHeld()) await released.promise;
          if (to.destroyed) break;
          if (!to.write(chunk)) await drained(to);
        }
        to.end();
      } catch {
        to.destroy();
      }
    }
  });
  async function drained(socket: Socket): Promise<void> {
    const seen = new AbortController();
    const { signal } = seen;
    await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]);
    seen.abort();
  }

  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  return {
    port: address.port,
    sentBytes: () => sent,
    answeredBytes: () => answered,
    requests: () => requests,
    forget() {
      requests = [];
      sent = 0;
      answered = 0;
    },
    hold(when) {
      held = when;
    },
    release() {
      held = undefined;
      released.resolve();
      released = Promise.withResolvers();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** The numbers of the multipart parts that clients sent through the proxy, since the last `forget`. */
export function partsSent(proxy: TcpProxy): string[] {
  return proxy
    .requests()
    .flatMap((line) => /^PUT .*partNumber=(\d+)/.exec(line)?.[1] ?? [])
    .sort((a, b) => Number(a) - Number(b));
}
