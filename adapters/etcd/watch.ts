/** The Watch RPC, implemented only to find out whether a watch from a revision is refused. */
import { Client } from '@grpc/grpc-js';
import { SalvorError } from '../../domain/errors.ts';
import { addressOf, CHANNEL_OPTIONS, loadCredentials } from './connection.ts';
import { memberFailure } from './failures.ts';
import type { MemberEndpoint } from './member.ts';
import { bytesIn, fieldsOf, messageWithBytes, messageWithNumber, numberIn } from './wire.ts';

const WATCH_METHOD = '/etcdserverpb.Watch/Watch';
/** As the key and the end of a range: every key. */
const EVERYTHING = Buffer.from([0]);
/** etcd reports a compacted revision at once. */
const ANSWER_MS = 5_000;

/**
 * Opens a watch of every key from a revision on.
 * @returns the revision up to which etcd is compacted, when it refuses the watch for that reason; null when it accepts
 * the watch
 * @throws SalvorError `MemberUnreachable`, `AccessDenied`, `InvalidConfiguration`; the signal's reason on abort
 */
export async function watchIsCompacted(
  endpoint: MemberEndpoint,
  fromRevision: string,
  signal: AbortSignal,
): Promise<string | null> {
  signal.throwIfAborted();
  const { channel } = await loadCredentials(endpoint);
  const client = new Client(addressOf(endpoint.clientUrl), channel, CHANNEL_OPTIONS);
  const call = client.makeBidiStreamRequest(WATCH_METHOD, (bytes: Buffer) => bytes, parseAnswer);
  const onAbort = () => call.destroy(new Error('aborted'));
  signal.addEventListener('abort', onAbort, { once: true });
  let isTaken = false;
  let isSilent = false;
  const onSilence = () => {
    isSilent = true;
    call.destroy(new Error(`no answer within ${ANSWER_MS / 1_000} s`));
  };
  const silence = setTimeout(onSilence, ANSWER_MS);
  try {
    call.write(watchRequest(fromRevision));
    for await (const answer of call as AsyncIterable<Answer>) {
      isTaken = true;
      if (answer.compactRevision > 0) return String(answer.compactRevision);
      if (answer.isCanceled)
        throw new SalvorError('UnsafeState', `etcd on node ${endpoint.node} refuses a watch: ${answer.reason}`);
      if (answer.hasEvents) return null;
    }
    throw new Error('etcd closed the watch');
  } catch (error) {
    signal.throwIfAborted();
    // It confirmed the watch and then stayed silent: nothing has happened since that revision.
    if (isTaken && isSilent) return null;
    throw memberFailure(error, endpoint, `a watch from revision ${fromRevision}`);
  } finally {
    clearTimeout(silence);
    signal.removeEventListener('abort', onAbort);
    call.cancel();
    client.close();
  }
}

/**
 * Field numbers as in etcd's api/etcdserverpb/rpc.proto: WatchRequest.create_request, and in it key, range_end and
 * start_revision.
 */
function watchRequest(fromRevision: string): Buffer {
  const create = Buffer.concat([
    messageWithBytes(1, EVERYTHING),
    messageWithBytes(2, EVERYTHING),
    messageWithNumber(3, Number(fromRevision)),
  ]);
  return messageWithBytes(1, create);
}

interface Answer {
  isCanceled: boolean;
  compactRevision: number;
  reason: string;
  hasEvents: boolean;
}

function parseAnswer(message: Buffer): Answer {
  const answer = fieldsOf(message);
  return {
    isCanceled: numberIn(answer, 4) === 1,
    compactRevision: numberIn(answer, 5),
    reason: Buffer.from(bytesIn(answer, 6)).toString('utf8'),
    hasEvents: bytesIn(answer, 11).length > 0,
  };
}
