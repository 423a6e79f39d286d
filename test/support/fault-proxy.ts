/**
 * A proxy in front of an HTTP server that does to requests what networks, gateways and overloaded services do. Tests
 * switch it at run time.
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export type Fault =
  /**
   * Resets the connection: before the server gets the request, in the middle of the request's body, or instead of the
   * answer.
   */
  | { kind: 'reset'; when: 'before' | 'sending' | 'answer' }
  /** The server gets the request, but something in between answers with an error. */
  | { kind: 'status'; status: 500 | 502 | 503; code: string }
  /** The server gets nothing, and nobody answers, as with a firewall that drops packets or a service that hangs. */
  | { kind: 'black hole' }
  | { kind: 'latency'; ms: number }
  /** Both ways, until the fault ends. */
  | { kind: 'drip'; bytesPerSecond: number }
  /** The answer ends after this number of bytes of its body. `quietly`: as if it were complete. */
  | { kind: 'cut'; afterBytes: number; quietly?: boolean }
  /** One bit of the body is flipped. */
  | { kind: 'flip'; way: 'up' | 'down' };

export interface FaultRule {
  fault: Fault;
  /** Default: every request. */
  only?: (request: { method: string; url: string }) => boolean;
  /** The number of requests to affect; default: all until the fault is ended. */
  times?: number;
}

export interface FaultProxy {
  endpoint: string;
  /** Sets the fault from now on, in place of the previous one. */
  set: (rule: FaultRule) => void;
  /** Ends the fault: hanging requests keep hanging; new and slow ones pass. */
  end: () => void;
  /** How many requests the fault has hit since it was set. */
  readonly met: number;
  /** `METHOD url` of every request. */
  readonly requests: string[];
  close: () => Promise<void>;
}

const DRIP_MS = 100;

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  let rule: FaultRule | undefined;
  let met = 0;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const [method, url] = [request.method ?? '', request.url ?? ''];
    requests.push(`${method} ${url}`);
    const set = rule;
    const isMet = set !== undefined && met < (set.times ?? Infinity) && (set.only?.({ method, url }) ?? true);
    if (isMet) met += 1;
    const isOver = () => rule !== set;
    serve(request, response, target, isMet ? set.fault : undefined, isOver).catch(() => request.destroy());
  });
  // Requests hang here on purpose: this tests the clients' own limits.
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    requests,
    set(next) {
      rule = next;
      met = 0;
    },
    end() {
      rule = undefined;
    },
    get met() {
      return met;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  fault: Fault | undefined,
  isOver: () => boolean,
): Promise<void> {
  if (fault?.kind === 'black hole') return void request.resume();
  if (fault?.kind === 'reset' && fault.when === 'before') return void request.socket.resetAndDestroy();
  if (fault?.kind === 'status') {
    request.resume();
    const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${fault.code}</Code><Message>by the proxy</Message></Error>`;
    await once(request, 'end');
    return void response.writeHead(fault.status, { 'content-type': 'application/xml' }).end(text);
  }
  if (fault?.kind === 'latency') await delay(fault.ms);

  const far = httpRequest(target, {
    method: request.method,
    path: request.url,
    headers: request.headers,
    agent: false,
  });
  const answered = once(far, 'response') as Promise<[IncomingMessage]>;
  response.on('close', () => far.destroy());
  await Promise.all([
    send(request, far, fault, isOver),
    answered.then(async ([answer]) => await pass(answer, request, response, fault, isOver)),
  ]);
}

/** The body of the request to the server. */
async function send(
  request: IncomingMessage,
  far: ReturnType<typeof httpRequest>,
  fault: Fault | undefined,
  isOver: () => boolean,
): Promise<void> {
  const flip = fault?.kind === 'flip' && fault.way === 'up';
  for await (const chunk of slowed(flip ? flipped(request) : request, fault, isOver)) {
    if (fault?.kind === 'reset' && fault.when === 'sending') return void request.socket.resetAndDestroy();
    if (!far.write(chunk)) await once(far, 'drain');
  }
  far.end();
}

/** The server's answer to the client. */
async function pass(
  answer: IncomingMessage,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
  isOver: () => boolean,
): Promise<void> {
  if (fault?.kind === 'reset') {
    answer.resume();
    await once(answer, 'end');
    return void request.socket.resetAndDestroy();
  }
  const flip = fault?.kind === 'flip' && fault.way === 'down';
  const quietly = fault?.kind === 'cut' && fault.quietly === true;
  response.writeHead(answer.statusCode ?? 500, quietly ? withoutLength(answer.headers) : answer.headers);
  let left = fault?.kind === 'cut' ? fault.afterBytes : Infinity;
  for await (const chunk of slowed(flip ? flipped(answer) : answer, fault, isOver)) {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (!response.write(part)) await once(response, 'drain');
    if (left > 0) continue;
    if (!quietly) return void request.socket.end();
    break;
  }
  response.end();
}

/** Sends the answer chunked, so that it can end anywhere. */
function withoutLength({ 'content-length': _length, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  return headers;
}

async function* slowed(
  body: AsyncIterable<Buffer>,
  fault: Fault | undefined,
  isOver: () => boolean,
): AsyncGenerator<Buffer> {
  if (fault?.kind !== 'drip') return yield* body;
  const atOnce = Math.max(1, Math.floor((fault.bytesPerSecond * DRIP_MS) / 1000));
  for await (const chunk of body) {
    let from = 0;
    for (; from < chunk.length && !isOver(); from += atOnce) {
      yield chunk.subarray(from, from + atOnce);
      await delay(DRIP_MS);
    }
    if (from < chunk.length) yield chunk.subarray(from);
  }
}

async function* flipped(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let done = false;
  for await (const chunk of body) {
    const copy = Buffer.from(chunk);
    const middle = copy.length >> 1;
    if (!done && copy.length > 0) copy[middle] = (copy[middle] ?? 0) ^ 1;
    done = true;
    yield copy;
  }
}
