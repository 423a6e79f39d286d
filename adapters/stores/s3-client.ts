/** The S3 client of one store. */
import { Agent } from 'node:https';
import { type PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import type { S3StoreConfiguration } from '../../domain/configuration/stores.ts';

/** What an S3 store's references were resolved to. */
export interface S3Secrets {
  /** Without them the AWS default chain. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** PEM: the certificate authority of the endpoint. */
  ca?: string;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Without a byte in either direction. */
const IDLE_TIMEOUT_MS = 60_000;
const MAX_ATTEMPTS = 4;

export function s3Client(configuration: S3StoreConfiguration, secrets: S3Secrets): S3Client {
  return new S3Client({
    region: configuration.region,
    forcePathStyle: configuration.pathStyle,
    ...(configuration.endpoint !== undefined && { endpoint: configuration.endpoint }),
    ...(secrets.credentials && { credentials: secrets.credentials }),
    // Many compatible services refuse the checksums that the client adds by itself; ours are in the manifest.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A HeadObject went before: what `Expect: 100-continue` would tell is known, and some services answer it only after 6 s.
    expectContinueHeader: false,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpsAgent: new Agent({ keepAlive: true, maxSockets: 50, ...(secrets.ca !== undefined && { ca: secrets.ca }) }),
    },
  });
}

/** How the service is to encrypt an object on its side. */
export function encryptionOf(
  configuration: S3StoreConfiguration,
): Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId' | 'BucketKeyEnabled'> {
  const { serverSideEncryption: wanted } = configuration;
  if (wanted === undefined) return {};
  if (wanted.type === 's3') return { ServerSideEncryption: 'AES256' };
  return {
    ServerSideEncryption: 'aws:kms',
    ...(wanted.keyId !== undefined && { SSEKMSKeyId: wanted.keyId }),
    ...(wanted.bucketKey !== undefined && { BucketKeyEnabled: wanted.bucketKey }),
  };
}
