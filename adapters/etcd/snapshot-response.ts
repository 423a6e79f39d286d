/** The three fields of etcd's SnapshotResponse (api/etcdserverpb/rpc.proto): header 1, remaining_bytes 2, blob 3; 3.6 adds version 4. */

export interface SnapshotResponse {
  remainingBytes: number;
  /** A view of the message, not a copy. */
  blob: Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;
const NOTHING = new Uint8Array(0);

/**
 * Reads one message; unknown fields are skipped.
 * @throws RangeError for bytes that are no protobuf message
 */
export function parseSnapshotResponse(message: Uint8Array): SnapshotResponse {
  let position = 0;
  let remainingBytes = 0;
  let blob: Uint8Array = NOTHING;

  function varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[position];
      position += 1;
      if (byte === undefined || factor > 2 ** 63) throw new RangeError('a message of the snapshot is malformed');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  function delimited(): Uint8Array {
    const length = varint();
    const start = position;
    position += length;
    return message.subarray(start, position);
  }

  while (position < message.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (field === 2 && wireType === VARINT) remainingBytes = varint();
    else if (field === 3 && wireType === DELIMITED) blob = delimited();
    else if (wireType === VARINT) varint();
    else if (wireType === DELIMITED) delimited();
    else if (wireType === FIXED64) position += 8;
    else if (wireType === FIXED32) position += 4;
    else throw new RangeError(`a message of the snapshot has a field of the unknown type ${wireType}`);
  }
  if (position !== message.length) throw new RangeError('a message of the snapshot is cut off');
  return { remainingBytes, blob };
}
