/**
 * What manifests and drill results have in common: they are JSON objects that carry their own SHA-256 and name the
 * backup that they belong to.
 */
// oxlint-disable-next-line eslint/no-restricted-imports -- a hash is no I/O
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SalvorError } from '../errors.ts';
import { parseKey } from './keys.ts';

/**
 * A note as it is stored: JSON for people, ending in a newline. `digest` is the SHA-256 of everything else in it, so no
 * accidental change goes unnoticed. It is not a signature: anyone who may write to the store can compute another. `jq
 * -cS 'del(.digest)' <file> | sha256sum` computes the same digest.
 */
export function formatNote(content: object): string {
  return `${JSON.stringify({ ...content, digest: digestOf(content) }, null, 2)}\n`;
}

/**
 * Reads a note.
 * @param where named in the message of an error: the store and key
 * @param what what it should be, as in `a manifest`
 * @throws SalvorError `BackupCorrupt`, naming every wrong field, or both digests
 */
export function parseNote<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  text: string,
  where: string,
  what: string,
): z.infer<z.ZodObject<S>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SalvorError('BackupCorrupt', `${where} is not JSON; it was changed or truncated after it was written`, {
      cause: error,
    });
  }
  const { digest, ...content } = sealedSchema.safeParse(json).data ?? { digest: undefined };
  const result = schema.safeParse(digest === undefined ? json : content);
  if (!result.success || digest === undefined) {
    const issues = result.error?.issues ?? [{ path: ['digest'], message: 'expected a text' }];
    const problems = issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new SalvorError('BackupCorrupt', `${where} is not ${what} of format 1: ${problems}`);
  }
  const seen = digestOf(content);
  if (seen === digest) return result.data;
  throw new SalvorError(
    'BackupCorrupt',
    `${where} was changed after it was written: its digest says SHA-256 ${digest}, its content has ${seen}`,
  );
}

const sealedSchema = z.looseObject({ digest: z.string() });

/**
 * Gives the note back if its key belongs to the backup that it describes.
 * @throws SalvorError `BackupCorrupt` if it describes another backup
 */
export function inItsPlace<T extends { cluster: string; backup: string; node: { address: string } }>(
  note: T,
  key: string,
  where: string,
): T {
  const place = parseKey(key);
  const { cluster, backup, node } = note;
  if (place?.cluster === cluster && place.backup === backup && place.nodeAddress === node.address) return note;
  throw new SalvorError(
    'BackupCorrupt',
    `${where} belongs to another backup: ${backup} of ${cluster}, taken from ${node.address}`,
  );
}

function digestOf(content: object): string {
  return createHash('sha256')
    .update(`${JSON.stringify(content, sorted)}\n`)
    .digest('hex');
}

/** Sorts the keys at every level, so that the digest depends on the content and not on how it is written. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
