/** The S3 client of one store. */
import { Agent } from 'node:https';
import { type PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import type { S3StoreConfiguration } from '../../../domain/configuration/stores.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { withoutUndefined } from '../../../domain/without-undefined.ts';

/** The values of an S3 store's references. */
export interface S3Secrets {
  /** Without them, the AWS default chain is used. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** PEM: the certificate authority of the endpoint. */
  ca?: string;
}

/** How long to wait for a service that does not answer. */
export interface S3Limits {
  connectTimeoutMs: number;
  /** The time without a byte in either direction, after which a part is sent again. */
  idleTimeoutMs: number;
  attempts: number;
  /** For a request without a body of its own, all attempts together: a store that hangs must not delay the others. */
  answerTimeoutMs: number;
}

export const S3_LIMITS: S3Limits = {
  connectTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  attempts: 4,
  answerTimeoutMs: 30_000,
};

export function s3Client(configuration: S3StoreConfiguration, secrets: S3Secrets, limits: S3Limits): S3Client {
  return new S3Client({
    region: configuration.region,
    forcePathStyle: configuration.pathStyle,
    ...(configuration.endpoint !== undefined && { endpoint: configuration.endpoint }),
    ...(secrets.credentials && { credentials: secrets.credentials }),
    // Many compatible services refuse the checksums that the client adds by itself; Salvor's own are in the manifest.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A HeadObject has already shown what `Expect: 100-continue` would reveal, and some services answer that only after
    // 6 s.
    expectContinueHeader: false,
    maxAttempts: limits.attempts,
    requestHandler: {
      connectionTimeout: limits.connectTimeoutMs,
      socketTimeout: limits.idleTimeoutMs,
      httpsAgent: new Agent({ keepAlive: true, maxSockets: 50, ...(secrets.ca !== undefined && { ca: secrets.ca }) }),
    },
  });
}

/**
 * The client; every request ends if its answer does not begin within the limit. The rest of the answer may take its
 * time.
 */
export function answering(client: S3Client, store: string, limits: S3Limits): S3Client {
  async function send(
    command: Parameters<S3Client['send']>[0],
    { abortSignal }: { abortSignal: AbortSignal },
  ): Promise<unknown> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), limits.answerTimeoutMs);
    try {
      return await client.send(command, { abortSignal: AbortSignal.any([abortSignal, late.signal]) });
    } catch (error) {
      if (!late.signal.aborted || abortSignal.aborted) throw error;
      throw tooSlow(store, limits, error);
    } finally {
      clearTimeout(timer);
    }
  }
  return new Proxy(client, {
    get: (_client, property) => (property === 'send' ? send : (Reflect.get(client, property, client) as unknown)),
  });
}

export function tooSlow(store: string, { answerTimeoutMs }: S3Limits, cause: unknown): SalvorError {
  const message = `store "${store}" gave no whole answer within ${answerTimeoutMs / 1000} s`;
  return new SalvorError('StoreUnavailable', message, { cause });
}

/** How the service encrypts an object on its side. */
export function encryptionOf(
  configuration: S3StoreConfiguration,
): Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId' | 'BucketKeyEnabled'> {
  const { serverSideEncryption: wanted } = configuration;
  if (wanted === undefined) return {};
  if (wanted.type === 's3') return { ServerSideEncryption: 'AES256' };
  const { keyId: SSEKMSKeyId, bucketKey: BucketKeyEnabled } = wanted;
  return withoutUndefined({ ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId, BucketKeyEnabled });
}
