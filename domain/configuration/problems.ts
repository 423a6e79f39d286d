/**
 * Describes what is wrong with a configuration: where, and what was expected. Values are never repeated, because one
 * may be a secret in the wrong place.
 */
import type { z } from 'zod';

/** One thing that is wrong with a configuration, or worth a warning. */
export interface Problem {
  /** As in `clusters.prod.nodes.0.address`; empty for the whole configuration. */
  path: string;
  message: string;
  /** The file and its line and column, as in `salvor.yaml:12:5`, when the configuration came from a file. */
  at?: string;
}

/** A problem whose place in the file is not known yet. */
export interface Finding {
  path: PropertyKey[];
  message: string;
}

type Issue = z.core.$ZodIssue;

const TYPES: Record<string, string> = {
  array: 'a list',
  object: 'a map',
  record: 'a map',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** The message for an issue whose schema gives none; undefined keeps zod's own message. */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    const expected = TYPES[issue.expected] ?? issue.expected;
    return issue.input === undefined ? `missing; expected ${expected}` : `expected ${expected}`;
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(', ');
    return `${issue.input === undefined ? 'missing; ' : ''}expected ${issue.values.length > 1 ? 'one of: ' : ''}${values}`;
  }
  if (issue.code === 'too_small' && issue.origin === 'number') {
    return `expected ${Number(issue.minimum) + (issue.inclusive === false ? 1 : 0)} or more`;
  }
  if (issue.code === 'too_big' && issue.origin === 'number') return `expected ${issue.maximum} or less`;
  return undefined;
}

/** The problems of an issue, each at the field that a person has to correct. */
export function findingsOf(issue: Issue, parent: PropertyKey[] = []): Finding[] {
  const path = [...parent, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown field' }));
    case 'invalid_key':
      return [{ path, message: `not a valid name: ${issue.issues.map((inner) => inner.message).join('; ')}` }];
    case 'invalid_union': {
      if ('options' in issue && Array.isArray(issue.options)) {
        return [{ path, message: `expected one of: ${issue.options.join(', ')}` }];
      }
      const meant = meantBranch(issue.errors);
      return meant ? meant.flatMap((inner) => findingsOf(inner, path)) : [{ path, message: issue.message }];
    }
    default:
      return [{ path, message: issue.message }];
  }
}

/** The form that was meant: the only one that has the right type and knows all the fields. */
function meantBranch(branches: readonly Issue[][]): Issue[] | undefined {
  const fitting = branches.filter((issues) =>
    issues.every((issue) => issue.code !== 'unrecognized_keys' && issue.path.length > 0),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}
