/** Checks the input of an operation. No zod: workflows run this as their first step. */
import { SalvorError } from './errors.ts';
import { timeOfBackupId } from './format/keys.ts';

type Check = (value: unknown) => string | undefined;

/** A text that matches, and has no two dots in a row, is the name of a cluster, node or store. */
export const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;

/** The name of a cluster, node or store. */
export const isName: Check = (value) =>
  typeof value === 'string' && NAME.test(value) && !value.includes('..')
    ? undefined
    : 'expected a name: 1 to 63 lower-case letters, digits, "-" or "."';

export const isBackup: Check = (value) =>
  value === 'latest' || (typeof value === 'string' && timeOfBackupId(value) !== undefined)
    ? undefined
    : 'expected "latest" or a backup\'s name, as in 20261123-060000';

/** The name of one particular backup. */
export const isBackupName: Check = (value) =>
  typeof value === 'string' && timeOfBackupId(value) !== undefined
    ? undefined
    : "expected a backup's name, as in 20261123-060000";

/** Which backup `verify` is to take. */
export const isDrillWish: Check = (value) =>
  value === 'oldest-proof' || isBackup(value) === undefined
    ? undefined
    : 'expected "latest", "oldest-proof" or a backup\'s name, as in 20261123-060000';

/**
 * A moment, as `salvor restore --at` takes it. Without a time zone, it would mean different moments on different
 * machines.
 */
export const isTime: Check = (value) =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/.test(value) &&
  !Number.isNaN(Date.parse(value))
    ? undefined
    : 'expected a time with its zone, as in 2026-11-23T06:00:00Z';

export const isApproval: Check = (value) =>
  value === 'auto' || (typeof value === 'string' && /^[0-9a-f]{12}$/.test(value))
    ? undefined
    : 'expected "auto" or the digest of a plan, as `salvor restore --plan` gives it: 12 hexadecimal digits';

export const isText: Check = (value) => (typeof value === 'string' ? undefined : 'expected a text');

export const isBoolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'expected true or false');

export const isCount: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : 'expected a whole number, 0 or more';

export const isPositiveCount: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 1 ? undefined : 'expected a whole number, 1 or more';

export function oneOf(...values: string[]): Check {
  return (value) =>
    typeof value === 'string' && values.includes(value) ? undefined : `expected one of: ${values.join(', ')}`;
}

/** A list whose values all pass the check. */
export function listOf(check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return 'expected a list';
    return value.map(check).find((problem) => problem !== undefined);
  };
}

/** The checks of an input's fields. Every field that isn't in `optional` must be present. */
export interface InputShape<T> {
  required: { [K in keyof T as undefined extends T[K] ? never : K]: Check };
  optional: { [K in keyof T as undefined extends T[K] ? K : never]-?: Check };
}

/**
 * Checks the input field by field and returns it.
 * @throws SalvorError `InvalidInput`, naming every field that is missing, wrong or unknown
 */
export function checkInput<T extends object>(input: unknown, shape: InputShape<T>): T {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new SalvorError('InvalidInput', 'expected one JSON object as input, such as {"cluster": "prod"}');
  }
  const required = Object.entries<Check>(shape.required);
  const optional = Object.entries<Check>(shape.optional);
  const known = new Map([...required, ...optional]);
  const fields = new Map<string, unknown>(Object.entries(input).filter(([, value]) => value !== null));
  const problems = required.filter(([name]) => !fields.has(name)).map(([name]) => `"${name}" is missing`);
  for (const [name, value] of fields) {
    const check = known.get(name);
    const problem = check === undefined ? `unknown field; there are: ${[...known.keys()].join(', ')}` : check(value);
    if (problem !== undefined) problems.push(`"${name}": ${problem}`);
  }
  if (problems.length > 0) throw new SalvorError('InvalidInput', `the input is wrong: ${problems.join('; ')}`);
  // Every field was checked against the shape, which the compiler ties to T.
  return Object.fromEntries(fields) as T;
}

/**
 * Checks that the caller of a destructive operation has repeated the cluster's name.
 * @throws SalvorError `ConfirmationMismatch`
 */
export function checkConfirmation(cluster: string, confirm: string): void {
  if (confirm === cluster) return;
  throw new SalvorError(
    'ConfirmationMismatch',
    `the confirmation is "${confirm}", expected "${cluster}": the operation replaces or removes what that cluster has now`,
  );
}
