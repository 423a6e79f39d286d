/** What the errors of an S3 service, or of the connection to it, mean for a store. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { type FailureType, messageOf, SalvorError } from '../../../domain/errors.ts';

const MEANINGS: Record<string, FailureType> = {
  NoSuchBucket: 'StoreMissing',
  // The bucket is in a region other than the configured one.
  PermanentRedirect: 'StoreMissing',
  AuthorizationHeaderMalformed: 'StoreMissing',
  NoSuchKey: 'ArtifactMissing',
  NotFound: 'ArtifactMissing',
  PreconditionFailed: 'ArtifactExists',
  QuotaExceeded: 'NoSpace',
  InsufficientStorage: 'NoSpace',
  XMinioStorageFull: 'NoSpace',
  CredentialsProviderError: 'AccessDenied',
  // versitygw's error for an unknown access key, with status 404.
  XAdminUserNotFound: 'AccessDenied',
};

const MEANINGS_OF_STATUS: Record<number, FailureType> = {
  401: 'AccessDenied',
  403: 'AccessDenied',
  412: 'ArtifactExists',
  507: 'NoSpace',
};

const ADVICE: Partial<Record<FailureType, string>> = {
  StoreMissing: '; create the bucket, or correct "bucket", "region" and "endpoint"',
  AccessDenied: '; check the store’s credentials and what they may do',
  NoSpace: '; make room, or prune',
};

/** What an error of the S3 client means. */
export function meaningOf(error: unknown): FailureType {
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  const byName = error instanceof Error ? MEANINGS[error.name] : undefined;
  return byName ?? MEANINGS_OF_STATUS[status ?? 0] ?? 'StoreUnavailable';
}

/** Turns the error of a store's request into a SalvorError; a SalvorError stays as it is. */
export function s3Error(error: unknown, store: string, what: string): SalvorError {
  if (error instanceof SalvorError) return error;
  const type = meaningOf(error);
  const status = error instanceof S3ServiceException ? ` (HTTP ${error.$metadata.httpStatusCode ?? '?'})` : '';
  const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
  const text = `store "${store}", ${what}: ${name}${describe(error)}${status}${ADVICE[type] ?? ''}`;
  return new SalvorError(type, text, { cause: error });
}

// A refused connection to a name with several addresses is an AggregateError without a message of its own.
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ');
  return messageOf(error);
}
