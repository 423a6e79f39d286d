/**
 * Damages stored files as disks, broken transfers and people do. Random numbers make every choice, so a seed repeats
 * it.
 */
import { randomBytes } from 'node:crypto';

/** Numbers in [0, 1) that a seed determines (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Damage {
  how: string;
  bytes: Buffer;
}

/** Damages a binary file. `other` is another backup's file of the same kind. */
export function damageBytes(bytes: Buffer, other: Buffer, random: () => number): Damage {
  return untilDifferent(bytes, () => pick(random, BYTE_DAMAGES)(bytes, other, random));
}

/** Damages a manifest. `other` is another backup's. */
export function damageManifest(bytes: Buffer, other: Buffer, random: () => number): Damage {
  return untilDifferent(bytes, () => {
    return pick(random, [...BYTE_DAMAGES, ...FIELD_DAMAGES, ...FIELD_DAMAGES])(bytes, other, random);
  });
}

type Act = (bytes: Buffer, other: Buffer, random: () => number) => Damage;

const BYTE_DAMAGES: Act[] = [
  function flip(bytes, _other, random) {
    const at = below(random, bytes.length);
    const bit = below(random, 8);
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
    return { how: `bit ${bit} of byte ${at} flipped`, bytes: changed };
  },
  function cut(bytes, _other, random) {
    const length = below(random, bytes.length);
    return { how: `cut off after ${length} of ${bytes.length} bytes`, bytes: bytes.subarray(0, length) };
  },
  function append(bytes, _other, random) {
    const more = 1 + below(random, 64);
    return { how: `${more} bytes appended`, bytes: Buffer.concat([bytes, randomBytes(more)]) };
  },
  function zero(bytes, _other, random) {
    const at = below(random, bytes.length);
    const changed = Buffer.from(bytes).fill(0, at, Math.min(at + 512, bytes.length));
    return { how: `512 bytes from ${at} zeroed`, bytes: changed };
  },
  function swap(_bytes, other) {
    return { how: "another backup's in its place", bytes: other };
  },
  function empty() {
    return { how: 'emptied', bytes: Buffer.alloc(0) };
  },
];

type Path = (string | number)[];

const FIELD_DAMAGES: Act[] = [
  function edit(bytes, _other, random) {
    const content: unknown = JSON.parse(bytes.toString());
    const path = pick(random, pathsIn(content));
    return {
      how: `field ${path.join('.')} edited`,
      bytes: asText(withField(content, path, (value) => edited(value, random))),
    };
  },
  function remove(bytes, _other, random) {
    const content: unknown = JSON.parse(bytes.toString());
    const path = pick(random, pathsIn(content));
    return { how: `field ${path.join('.')} removed`, bytes: asText(withField(content, path, () => undefined)) };
  },
];

/** Every value that is neither an object nor a list. */
export function pathsIn(value: unknown): Path[] {
  if (typeof value !== 'object' || value === null) return [[]];
  return Object.entries(value).flatMap(([name, item]) => pathsIn(item).map((path) => [name, ...path]));
}

/** Returns the value with one field changed; undefined removes the field. */
export function withField(value: unknown, [name, ...rest]: Path, change: (value: unknown) => unknown): unknown {
  if (name === undefined) return change(value);
  if (Array.isArray(value)) {
    const index = Number(name);
    const changed = withField(value[index], rest, change);
    return changed === undefined ? value.toSpliced(index, 1) : value.with(index, changed);
  }
  const entries = Object.entries(Object(value) as object).map(([key, item]) => [
    key,
    key === name ? withField(item, rest, change) : (item as unknown),
  ]);
  return Object.fromEntries(entries);
}

function edited(value: unknown, random: () => number): unknown {
  if (typeof value === 'number') return value + 1 + below(random, 1000);
  if (typeof value === 'boolean') return !value;
  const text = String(value);
  const at = below(random, text.length);
  const letter = pick(
    random,
    '0123456789abcdef'.split('').filter((each) => each !== text[at]),
  );
  return `${text.slice(0, at)}${letter}${text.slice(at + 1)}`;
}

function asText(content: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(content, null, 2)}\n`);
}

function untilDifferent(bytes: Buffer, act: () => Damage): Damage {
  for (;;) {
    const damage = act();
    if (!damage.bytes.equals(bytes)) return damage;
  }
}

function below(random: () => number, limit: number): number {
  return Math.floor(random() * limit);
}

function pick<T>(random: () => number, choices: readonly T[]): T {
  const choice = choices[below(random, choices.length)];
  if (choice === undefined) throw new Error('nothing to choose from');
  return choice;
}
