/**
 * Reads every Kubernetes object of a restored etcd through a real kube-apiserver, in scratch: a cluster could serve
 * everything that it lists.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { SalvorError } from '../../../domain/errors.ts';
import { askApiServer } from '../api/ask.ts';
import { type Reader, resourceTypes } from './resource-types.ts';
import { type ScratchApiServer, startScratchApiServer } from './scratch-server.ts';

/** Objects may take a megabyte each, and definitions of custom resources often do. */
const PAGE = 100;
/** For the APIs of custom resources, which appear shortly after the server is ready. */
const SETTLE_MS = 60_000;
const POLL_MS = 200;

export interface Served {
  /** The version of the kube-apiserver that read it. */
  version: string;
  types: number;
  objects: number;
  /** The number of objects of each type that has any, for example of `apps/v1/deployments`. */
  counts: Record<string, number>;
}

/** This worker's kube-apiserver lacks something that it needs to read the data; the data is not to blame. */
export interface Unserved {
  unserved: string;
}

export interface ServeOptions {
  etcdUrl: string;
  directory: string;
  /** The prefix of the objects in etcd. */
  registryPrefix: string;
  signal: AbortSignal;
}

/**
 * Lists every object of every type that a scratch kube-apiserver on this etcd knows.
 * @throws SalvorError `BackupCorrupt` when a type can't be listed because an object of it can't be read;
 * `ComponentStuck`, `ToolMissing`
 */
export async function serveSnapshot(options: ServeOptions): Promise<Served | Unserved> {
  let server: ScratchApiServer | undefined;
  try {
    server = await startScratchApiServer({ ...options, onWaiting: judgeLog });
    return await listEverything(server, options.signal);
  } catch (error) {
    if (error instanceof NotReadableHere) return { unserved: error.message };
    throw error;
  } finally {
    await server?.stop();
  }
}

async function listEverything(server: ScratchApiServer, signal: AbortSignal): Promise<Served> {
  const reader: Reader = {
    get: async (path) => JSON.parse(await answerOf(server, path, { signal })) as unknown,
    async *all(path) {
      for await (const items of pages(server, path, { signal })) yield* items;
    },
  };
  const types = await resourceTypes(reader);
  const counts: Record<string, number> = {};
  let objects = 0;
  for (const { name, path } of types) {
    for await (const items of pages(server, path, { signal, metadataOnly: true })) {
      objects += items.length;
      if (items.length > 0) counts[name] = (counts[name] ?? 0) + items.length;
    }
  }
  return { version: server.version, types: types.length, objects, counts };
}

const pageSchema = z.object({
  metadata: z.object({ continue: z.string().optional() }),
  items: z.array(z.unknown()).nullable(),
});

interface Question {
  signal: AbortSignal;
  metadataOnly?: boolean;
}

async function* pages(server: ScratchApiServer, path: string, question: Question): AsyncGenerator<unknown[], void> {
  let next = '';
  do {
    const query = `limit=${PAGE}${next && `&continue=${encodeURIComponent(next)}`}`;
    const { items, metadata } = pageSchema.parse(JSON.parse(await answerOf(server, `${path}?${query}`, question)));
    yield items ?? [];
    next = metadata.continue ?? '';
  } while (next !== '');
}

async function answerOf(server: ScratchApiServer, path: string, question: Question): Promise<string> {
  const endMs = Date.now() + SETTLE_MS;
  for (;;) {
    const { status, body } = await askApiServer(`${server.url}${path}`, { ...question, token: server.token });
    if (status === 200) return body;
    refuseEncrypted(body);
    const said = `kube-apiserver ${server.version} on the restored data answers GET ${path} with HTTP ${status}: ${messageIn(body)}`;
    if (/conversion webhook/i.test(body)) {
      throw new NotReadableHere(`${said}. The webhook belongs to the cluster and can't be asked here`);
    }
    // An API that isn't found is not there yet: the server itself named its type.
    if (![404, 429, 503].includes(status)) throw new SalvorError('BackupCorrupt', said);
    if (Date.now() > endMs) throw new SalvorError('ComponentStuck', `${said}; it did so for ${SETTLE_MS / 1_000} s`);
    await sleep(POLL_MS, undefined, { signal: question.signal });
  }
}

function messageIn(body: string): string {
  return (/"message":\s*"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? body).slice(0, 500);
}

class NotReadableHere extends Error {}

/**
 * kube-apiserver's words for an object that was encrypted with a key that it lacks: when it has no keys at all, and
 * when it has only other keys.
 */
const ENCRYPTED = /identity transformer tried to read encrypted data|no matching (?:prefix|key)(?: was)? found/;

function refuseEncrypted(said: string): void {
  if (!ENCRYPTED.test(said)) return;
  throw new NotReadableHere(
    'objects are encrypted at rest, and the scratch kube-apiserver has no EncryptionConfiguration to decrypt them: it is on the control-plane nodes. A restore brings them back encrypted, for a cluster with the same keys: back up the keys (staticResources)',
  );
}

/**
 * kube-apiserver's errors for bytes that are not an object, in any of the formats. It reads the types that it needs
 * itself before it is ready.
 */
const UNREADABLE =
  /failed to list (\S+): ([^\n"]*(?:illegal base64|couldn't get version\/kind|json parse error|unable to decode|proto: |unexpected EOF)[^\n"]*)/;

/** Why the server will never be ready, if its log says so. */
function judgeLog(log: string): void {
  refuseEncrypted(log);
  const [, type, problem] = UNREADABLE.exec(log) ?? [];
  if (type === undefined) return;
  throw new SalvorError('BackupCorrupt', `kube-apiserver can't read the restored objects of type ${type}: ${problem}`);
}
