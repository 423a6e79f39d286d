/** Random values that are the same in every run. */

export interface Random {
  /** A number from 0 up to but not including `below`. */
  integer(below: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
  hex(length: number): string;
  /** Letters and digits as in generated names of Kubernetes. */
  suffix(length: number): string;
  uuid(): string;
  bytes(length: number): Buffer;
  base64(bytes: number): string;
}

const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

export function seeded(seed: number): Random {
  let state = seed >>> 0;

  /** 32 bits, by mulberry32. */
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  function integer(below: number): number {
    return Math.floor((next() / 2 ** 32) * below);
  }

  function bytes(length: number): Buffer {
    const whole = Buffer.allocUnsafe(Math.ceil(length / 4) * 4);
    for (let offset = 0; offset < whole.length; offset += 4) whole.writeUInt32LE(next(), offset);
    return whole.subarray(0, length);
  }

  function hex(length: number): string {
    return bytes(Math.ceil(length / 2))
      .toString('hex')
      .slice(0, length);
  }

  return {
    integer,
    bytes,
    hex,
    pick: (items) => items[integer(items.length)] ?? items[0],
    suffix: (length) => Array.from({ length }, () => SUFFIX_LETTERS[integer(SUFFIX_LETTERS.length)]).join(''),
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    base64: (length) => bytes(length).toString('base64'),
  };
}
