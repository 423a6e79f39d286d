/** From the configuration of stores to stores that work. */
import { readFile } from 'node:fs/promises';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { NamedStore, S3StoreConfiguration } from '../../domain/configuration/stores.ts';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { readSecret } from '../secrets.ts';
import { filesystemStore } from './filesystem/store.ts';
import type { S3Secrets } from './s3/client.ts';
import { s3Store } from './s3/store.ts';
import type { Store } from './store.ts';

/**
 * Opens a store; nothing is sent to it yet. Close it when done.
 * @throws SalvorError `InvalidConfiguration` for a secret or certificate that isn't there
 */
export async function openStore(named: NamedStore): Promise<Store> {
  if (named.type === 'filesystem') return filesystemStore(named);
  return s3Store(named, await readS3Secrets(named));
}

/** Opens every store of a cluster, in the configuration's order. */
export async function openStores(cluster: Cluster): Promise<Store[]> {
  const opened = await Promise.allSettled(cluster.stores.map(openStore));
  const stores = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = opened.find((result) => result.status === 'rejected');
  if (!failed) return stores;
  for (const store of stores) store.close();
  throw failed.reason;
}

async function readS3Secrets({ credentials, ca }: S3StoreConfiguration): Promise<S3Secrets> {
  const secrets: S3Secrets = {};
  if (credentials) {
    secrets.credentials = {
      accessKeyId: await readSecret(credentials.accessKeyId),
      secretAccessKey: await readSecret(credentials.secretAccessKey),
      ...(credentials.sessionToken && { sessionToken: await readSecret(credentials.sessionToken) }),
    };
  }
  if (ca !== undefined) {
    secrets.ca = await readFile(ca, 'utf8').catch((error: unknown) => {
      const problem = `the certificate authority ${ca} can't be read: ${messageOf(error)}`;
      throw new SalvorError('InvalidConfiguration', problem, { cause: error });
    });
  }
  return secrets;
}
