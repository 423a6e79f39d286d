/**
 * What a restore would change in the live cluster: the loss that a person approves. Small enough for a workflow's
 * history. Pure.
 */
import { type Flavour, traitsOf } from '../flavours/index.ts';
import { OTHER_KEYS, registryName } from './registry-key.ts';

/**
 * `vanish`: created since the backup, so the restore removes it. `comeBack`: deleted since, so the restore brings it
 * back. `revert`: changed since, so the restore resets it to the state in the backup.
 */
export const CHANGE_KINDS = ['vanish', 'comeBack', 'revert'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];
export type ChangeCounts = Record<ChangeKind, number>;

export interface TypeChanges extends ChangeCounts {
  /** As in `configmaps` or `certificates.cert-manager.io`; `keys` for keys that aren't Kubernetes objects. */
  type: string;
  /** Some names per kind of change, in the order of their keys. The counts include all. */
  examples: Record<ChangeKind, string[]>;
}

/** The counts are complete. Leases, events and the like change all the time and are counted only in `noise`. */
export interface Changes extends ChangeCounts {
  /**
   * The live cluster's revision that the backup was compared with. Later writes are not included, and also vanish.
   */
  comparedAtRevision: string;
  /** The types with the greatest loss come first. */
  types: TypeChanges[];
  noise: ChangeCounts & { types: string[] };
}

/** One key of etcd without its value. */
export interface KeyVersion {
  key: Buffer;
  createRevision: string;
  modRevision: string;
  version: string;
}

const EXAMPLES_PER_LIST = 20;
const EXAMPLES = 300;
const EXAMPLE_CHARACTERS = 200;
/** Further types are counted together, because nothing limits how many types the keys can name. */
const TYPES = 300;
const OTHER_TYPES = 'other types';

/**
 * What a restore does to a key. Two versions of a key are the same if etcd wrote them at the same revision: a restore
 * raises the revision above all earlier ones, so no revision is used twice.
 * @returns undefined when the key stays as it is
 */
export function changeOf(
  live: KeyVersion | undefined,
  restored: KeyVersion | undefined,
): { kind: ChangeKind; key: Buffer } | undefined {
  if (restored === undefined) return live && { kind: 'vanish', key: live.key };
  if (live === undefined) return { kind: 'comeBack', key: restored.key };
  const isSame =
    live.modRevision === restored.modRevision &&
    live.createRevision === restored.createRevision &&
    live.version === restored.version;
  return isSame ? undefined : { kind: 'revert', key: live.key };
}

export interface Tally {
  add: (kind: ChangeKind, key: Buffer) => void;
  /** Everything added so far. */
  changes: (comparedAtRevision: string) => Changes;
}

/** Counts changes by type, in bounded memory. Without Kubernetes, all keys have the type `keys`. */
export function openTally(flavour: Flavour): Tally {
  const { kubernetes } = traitsOf(flavour);
  const types = new Map<string, TypeChanges>();
  const noise = { ...zero(), types: new Set<string>() };

  function typeNamed(name: string): TypeChanges {
    const type = types.has(name) || types.size < TYPES ? name : OTHER_TYPES;
    const known = types.get(type) ?? { type, ...zero(), examples: { vanish: [], comeBack: [], revert: [] } };
    types.set(type, known);
    return known;
  }

  return {
    add(kind, bytes) {
      const key = bytes.toString('utf8');
      const {
        type,
        name,
        noise: isNoise,
      } = kubernetes === null ? { type: OTHER_KEYS, name: key, noise: false } : registryName(key);
      if (isNoise) {
        noise[kind] += 1;
        noise.types.add(type);
        return;
      }
      const counted = typeNamed(type);
      counted[kind] += 1;
      const examples = counted.examples[kind];
      if (examples.length < EXAMPLES_PER_LIST) examples.push(shortened(name));
    },
    changes(comparedAtRevision) {
      const sorted = withFewExamples([...types.values()].sort(lostMostFirst));
      const total = zero();
      for (const kind of CHANGE_KINDS) {
        for (const type of sorted) total[kind] += type[kind];
      }
      return { comparedAtRevision, ...total, types: sorted, noise: { ...noise, types: [...noise.types].sort() } };
    },
  };
}

function zero(): ChangeCounts {
  return { vanish: 0, comeBack: 0, revert: 0 };
}

function lostMostFirst(a: TypeChanges, b: TypeChanges): number {
  return b.vanish - a.vanish || b.comeBack - a.comeBack || b.revert - a.revert || (a.type < b.type ? -1 : 1);
}

/** Copies of the types with shorter lists of examples, so that all lists together stay within the limit. */
function withFewExamples(types: TypeChanges[]): TypeChanges[] {
  let each = EXAMPLES_PER_LIST;
  const cut = (list: string[]) => list.slice(0, each);
  const all = () => types.flatMap(({ examples }) => CHANGE_KINDS.flatMap((kind) => cut(examples[kind]))).length;
  while (each > 0 && all() > EXAMPLES) each -= 1;
  return types.map(({ examples, ...counts }) => ({
    ...counts,
    examples: { vanish: cut(examples.vanish), comeBack: cut(examples.comeBack), revert: cut(examples.revert) },
  }));
}

function shortened(name: string): string {
  return name.length <= EXAMPLE_CHARACTERS ? name : `${name.slice(0, EXAMPLE_CHARACTERS - 1)}…`;
}
