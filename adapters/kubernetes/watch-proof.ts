/**
 * Tests what happens after a restore to the watches of clients that were connected before it, with a watch of Salvor's
 * own.
 */
import { CoreV1Api, Watch } from '@kubernetes/client-node';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { type Access, apiFailure, orAbsent } from './api/access.ts';
import { CANARY_LABEL } from './canary.ts';

const NAMESPACE = 'kube-system';
const PATH = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
/** A kube-apiserver that has an answer sends it at once. */
const EVENT_MS = 10_000;
const GONE = 410;

/**
 * Opens a watch at a revision that clients had reached before the restore. The server must refuse it as too old, so
 * that clients list again.
 * @returns how it was refused
 * @throws SalvorError `ComponentStuck` when the watch is accepted: clients would miss every change until the revision
 * has caught up
 */
export async function expectExpired(access: Access, resourceVersion: string, signal: AbortSignal): Promise<string> {
  const heard = await firstEvent(access, { resourceVersion }, async () => {}, signal);
  if (heard.status === GONE) return heard.message;
  const what = heard.status === undefined ? heard.message : `it answers HTTP ${heard.status}: ${heard.message}`;
  throw new SalvorError(
    'ComponentStuck',
    `kube-apiserver of ${access.where} does not refuse a watch from resource version ${resourceVersion}, which is from before the restore: ${what}; expected 410 (Expired)`,
  );
}

/**
 * Lists, watches from there, and sees its own write arrive, as clients do after a refusal.
 * @param name of the ConfigMap that is written, and deleted again
 * @throws SalvorError `ComponentStuck` when nothing arrives
 */
export async function expectFresh(access: Access, name: string, signal: AbortSignal): Promise<string> {
  const core = access.client(CoreV1Api);
  const tried = `list and watch config maps in ${NAMESPACE}`;
  const remove = async () => await orAbsent(core.deleteNamespacedConfigMap({ name, namespace: NAMESPACE }));
  try {
    await remove();
    const fieldSelector = `metadata.name=${name}`;
    const { metadata } = await core.listNamespacedConfigMap({ namespace: NAMESPACE, fieldSelector });
    const resourceVersion = metadata?.resourceVersion ?? '';
    const write = async () => {
      await core.createNamespacedConfigMap({
        namespace: NAMESPACE,
        body: { metadata: { name, labels: CANARY_LABEL } },
      });
    };
    const heard = await firstEvent(access, { resourceVersion, fieldSelector }, write, signal);
    if (heard.type === 'ADDED') return `a write arrives at a watch from a new list at ${resourceVersion}`;
    throw new SalvorError(
      'ComponentStuck',
      `kube-apiserver of ${access.where}: a watch from resource version ${resourceVersion}, which it returned a moment ago, does not see a write: ${heard.message}`,
    );
  } catch (error) {
    throw apiFailure(error, access, tried);
  } finally {
    await remove().catch(() => undefined);
  }
}

interface Heard {
  /** The type of an event: `ADDED`, `ERROR` and so on. */
  type?: string;
  /** The code of a refusal, sent instead of the watch or as its first event. */
  status?: number;
  message: string;
}

/** The first thing that a watch receives; `meanwhile` runs while the watch is being opened. */
async function firstEvent(
  { configuration, where }: Access,
  query: Record<string, string>,
  meanwhile: () => Promise<void>,
  signal: AbortSignal,
): Promise<Heard> {
  const { promise, resolve, reject } = Promise.withResolvers<Heard>();
  const limited = AbortSignal.any([signal, AbortSignal.timeout(EVENT_MS)]);
  const onAbort = () => resolve({ message: `it stays silent for ${EVENT_MS / 1_000} s` });
  limited.addEventListener('abort', onAbort, { once: true });
  const opened = new Watch(configuration).watch(
    PATH,
    query,
    (type: string, object: unknown) => resolve(heardOf(type, object)),
    (error: unknown) => {
      const status = statusOf(error);
      if (status === undefined && error instanceof Error) reject(apiFailure(error, { where }, 'be watched'));
      else
        resolve({
          ...(status !== undefined && { status }),
          message: error ? messageOf(error) : 'the watch was closed at once',
        });
    },
  );
  try {
    await meanwhile();
    const heard = await promise;
    signal.throwIfAborted();
    return heard;
  } finally {
    limited.removeEventListener('abort', onAbort);
    void opened.then(
      (watch) => watch.abort(),
      () => undefined,
    );
  }
}

function heardOf(type: string, object: unknown): Heard {
  if (type !== 'ERROR') return { type, message: `it sends ${type}` };
  const code = typeof object === 'object' && object !== null && 'code' in object ? object.code : undefined;
  const message =
    typeof object === 'object' && object !== null && 'message' in object ? String(object.message) : 'ERROR';
  return { type, ...(typeof code === 'number' && { status: code }), message };
}

/** The library sets it on the error when the whole watch was refused. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}
