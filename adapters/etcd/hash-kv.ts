/**
 * The HashKV RPC, called directly: etcd3 1.1.2 calls a method `hashKV`, which its own gRPC client names `hashKv`, so
 * that call always fails.
 */
import { Client, type ServiceError } from '@grpc/grpc-js';
import { addressOf, CHANNEL_OPTIONS, loadCredentials } from './connection.ts';
import type { HashAtRevision, MemberEndpoint } from './member.ts';
import { bytesIn, fieldsOf, messageWithNumber, numberIn } from './wire.ts';

const HASH_KV_METHOD = '/etcdserverpb.Maintenance/HashKV';

/**
 * Field numbers as in etcd's api/etcdserverpb/rpc.proto. etcd hashes the key space from the revision of its last
 * compaction up to the one asked for, so only hashes for the same two revisions can be compared.
 * @throws what gRPC throws
 */
export async function readHashKv(
  endpoint: MemberEndpoint,
  revision: string | undefined,
  deadline: number,
): Promise<HashAtRevision> {
  const { channel } = await loadCredentials(endpoint);
  const client = new Client(addressOf(endpoint.clientUrl), channel, CHANNEL_OPTIONS);
  const request = revision === undefined ? Buffer.alloc(0) : messageWithNumber(1, Number(revision));
  const { promise, resolve, reject } = Promise.withResolvers<HashAtRevision>();
  const onAnswer = (error: ServiceError | null, answer?: HashAtRevision) => {
    if (error === null && answer !== undefined) resolve(answer);
    else reject(error ?? new Error('etcd sent an empty answer'));
  };
  try {
    client.makeUnaryRequest(HASH_KV_METHOD, (bytes: Buffer) => bytes, parseAnswer, request, { deadline }, onAnswer);
    const answer = await promise;
    return { ...answer, revision: revision ?? answer.revision };
  } finally {
    client.close();
  }
}

function parseAnswer(message: Buffer): HashAtRevision {
  const answer = fieldsOf(message);
  // The header's revision is the newest one, read together with the hash.
  const header = fieldsOf(bytesIn(answer, 1));
  return {
    revision: String(numberIn(header, 3)),
    compactRevision: compactRevisionOf(answer),
    hash: String(numberIn(answer, 2)),
  };
}

/** etcd reports -1 before its first compaction; it arrives as the largest 64-bit number. */
function compactRevisionOf(answer: ReturnType<typeof fieldsOf>): string {
  const value = answer.get(3);
  return value === 2 ** 64 ? '-1' : String(numberIn(answer, 3));
}
