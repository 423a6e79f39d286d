/** What time it is by an S3 service. */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { request, type S3Bucket } from './bucket.ts';

/** By the `Date` of an answer; undefined when it has none that can be read. */
export async function timeOfService(bucket: S3Bucket, abortSignal: AbortSignal): Promise<Date | undefined> {
  const { client, Bucket } = bucket;
  const command = new ListObjectsV2Command({ Bucket, MaxKeys: 1 });
  let date: string | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      date = dateOf(result.response);
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
  await request(bucket, `bucket ${Bucket}`, abortSignal, async () => await client.send(command, { abortSignal }));
  const at = new Date(date ?? '');
  return Number.isNaN(at.getTime()) ? undefined : at;
}

function dateOf(response: unknown): string | undefined {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined;
  const { headers } = response;
  if (typeof headers !== 'object' || headers === null || !('date' in headers)) return undefined;
  return typeof headers.date === 'string' ? headers.date : undefined;
}
