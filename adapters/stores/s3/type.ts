/** The type "s3". */
import { readFile } from 'node:fs/promises';
import type { S3StoreConfiguration } from '../../../domain/configuration/stores.ts';
import { messageOf, SalvorError } from '../../../domain/errors.ts';
import type { SecretRef } from '../../../domain/values.ts';
import { readSecret } from '../../secrets.ts';
import type { StoreType } from '../type.ts';
import type { S3Secrets } from './client.ts';

export const s3: StoreType<S3StoreConfiguration> = {
  async open(configuration) {
    // The SDK takes a while to load, and a process that only reads a configuration doesn't need it.
    const { s3Store } = await import('./store.ts');
    return s3Store(configuration, await readSecrets(configuration));
  },
  resolvePaths(configuration, absolute) {
    const { ca, credentials } = configuration;
    return {
      ...configuration,
      ...(ca !== undefined && { ca: absolute(ca) }),
      ...(credentials && {
        credentials: {
          accessKeyId: resolveSecret(credentials.accessKeyId, absolute),
          secretAccessKey: resolveSecret(credentials.secretAccessKey, absolute),
          ...(credentials.sessionToken && { sessionToken: resolveSecret(credentials.sessionToken, absolute) }),
        },
      }),
    };
  },
};

function resolveSecret(secret: SecretRef, absolute: (path: string) => string): SecretRef {
  return 'file' in secret ? { file: absolute(secret.file) } : secret;
}

async function readSecrets({ credentials, ca }: S3StoreConfiguration): Promise<S3Secrets> {
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
