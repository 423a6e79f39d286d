/**
 * A small object that is written, read and deleted through a kube-apiserver: proof that it and its etcd accept writes.
 */
import { CoreV1Api } from '@kubernetes/client-node';
import { SalvorError } from '../../domain/errors.ts';
import { type Access, apiFailure, orAbsent } from './api/access.ts';

const NAMESPACE = 'kube-system';

/** The label by which leftover canaries are found. */
export const CANARY_LABEL = { 'app.kubernetes.io/managed-by': 'salvor' };

/**
 * Writes, reads and deletes one ConfigMap in `kube-system`. A leftover of an earlier try is removed first.
 * @param name of the ConfigMap
 * @returns the resource version with which it was written
 * @throws SalvorError `ComponentStuck` when the kube-apiserver doesn't do it, or returns something else
 */
export async function singCanary(access: Access, name: string): Promise<{ resourceVersion: string }> {
  const core = access.client(CoreV1Api);
  const place = { name, namespace: NAMESPACE };
  const written = new Date().toISOString();
  const remove = async () => await orAbsent(core.deleteNamespacedConfigMap(place));
  try {
    await remove();
    const body = { metadata: { name, labels: CANARY_LABEL }, data: { written } };
    const { metadata } = await core.createNamespacedConfigMap({ namespace: NAMESPACE, body });
    const { data } = await core.readNamespacedConfigMap(place);
    if (data?.['written'] !== written) throw notAsWritten(access, `returned ${JSON.stringify(data)} for it`);
    await remove();
    const left = await orAbsent(core.readNamespacedConfigMap(place));
    if (left !== undefined) throw notAsWritten(access, 'still had it after its deletion');
    return { resourceVersion: metadata?.resourceVersion ?? 'unknown' };
  } catch (error) {
    // This failure can't be fixed here: the next try, or a person, finds the object by its name.
    await remove().catch(() => undefined);
    throw apiFailure(error, access, `write, read and delete the config map ${NAMESPACE}/${name}`);
  }
}

function notAsWritten({ where }: Access, what: string): SalvorError {
  return new SalvorError('ComponentStuck', `kube-apiserver of ${where} wrote a config map in ${NAMESPACE} and ${what}`);
}
