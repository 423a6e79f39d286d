/**
 * Encodes objects as kube-apiserver stores them: a magic prefix and an envelope with kind and version around a protobuf
 * message. Field numbers follow the order of the properties. Kubernetes never reads these objects; only their sizes and
 * repetitions matter.
 */

export type Value = string | number | Buffer | Value[] | { [name: string]: Value };

const MAGIC = Buffer.from('k8s\0');
const VARINT = 0;
const DELIMITED = 2;

/** Returns the stored bytes of one object. */
export function stored(apiVersion: string, kind: string, object: { [name: string]: Value }): Buffer {
  const envelope = { typeMeta: { apiVersion, kind }, raw: message(object), encoding: '', contentType: '' };
  return Buffer.concat([MAGIC, message(envelope)]);
}

function message(object: { [name: string]: Value }): Buffer {
  return Buffer.concat(Object.values(object).flatMap((value, index) => field(index + 1, value)));
}

function field(number: number, value: Value): Buffer[] {
  if (Array.isArray(value)) return value.flatMap((item) => field(number, item));
  if (typeof value === 'number') return [varint(number * 8 + VARINT), varint(value)];
  const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.isBuffer(value) ? value : message(value);
  return [varint(number * 8 + DELIMITED), varint(bytes.length), bytes];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
