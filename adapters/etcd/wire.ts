/** Just enough of the protobuf wire format to read the few messages that Salvor reads without a library. */

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** By field number, the last value of each: numbers, and views of the message. */
export type Fields = Map<number, number | Uint8Array>;

/**
 * Splits a message into its fields; fixed fields of 4 and 8 bytes, which etcd doesn't use, are skipped.
 * @throws RangeError for bytes that are not a protobuf message
 */
export function fieldsOf(message: Uint8Array): Fields {
  const fields: Fields = new Map();
  let position = 0;

  function varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[position];
      position += 1;
      if (byte === undefined || factor > 2 ** 63) throw new RangeError('the message has a malformed number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  while (position < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === VARINT) fields.set(number, varint());
    else if (wireType === DELIMITED) {
      const length = varint();
      fields.set(number, message.subarray(position, position + length));
      position += length;
    } else if (wireType === FIXED64) position += 8;
    else if (wireType === FIXED32) position += 4;
    else throw new RangeError(`the message has a field of the unknown type ${wireType}`);
  }
  if (position !== message.length) throw new RangeError('the message is truncated');
  return fields;
}

/**
 * A number, or 0 if it was left out.
 * @throws RangeError for bytes, and for a number that JavaScript can't hold exactly
 */
export function numberIn(fields: Fields, field: number): number {
  const value = fields.get(field) ?? 0;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new RangeError(`field ${field} of the message is not a number below 2^53`);
}

const NOTHING = new Uint8Array(0);

/**
 * Bytes or an inner message; empty if left out.
 * @throws RangeError for a number
 */
export function bytesIn(fields: Fields, field: number): Uint8Array {
  const value = fields.get(field) ?? NOTHING;
  if (typeof value !== 'number') return value;
  throw new RangeError(`field ${field} of the message is a number, expected bytes`);
}

/** A message with one number in it: the request for a hash. */
export function messageWithNumber(field: number, value: number): Buffer {
  return Buffer.from([field * 8 + VARINT, ...varintOf(value)]);
}

/** A message with bytes, or another message, in it. */
export function messageWithBytes(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([field * 8 + DELIMITED, ...varintOf(bytes.length)]), bytes]);
}

function varintOf(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}
