/** What the last drill of a backup saw: `verified-<id>.json`. */
import { z } from 'zod';
import { SalvorError } from './errors.ts';
import { PROOFS } from './manifest.ts';
import { timeOfBackupId } from './names.ts';

const verifiedSchema = z.strictObject({
  formatVersion: z.literal(1),
  backup: z.string().refine((id) => timeOfBackupId(id) !== undefined, 'expected YYYYmmdd-HHMMSS'),
  cluster: z.string().min(1),
  node: z.strictObject({ address: z.string().min(1) }),
  /** When the drill ended, in UTC. */
  verifiedAt: z.iso.datetime(),
  /** The highest level whose checks all passed. */
  proof: z.enum(PROOFS),
  /** The store that was read. */
  store: z.string().min(1),
  checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), seen: z.string() })),
  durationMs: z.number().nonnegative(),
});
export type Verified = z.infer<typeof verifiedSchema>;
/** One thing that a drill looked at. */
export type DrillCheck = Verified['checks'][number];

/**
 * Reads what a drill left.
 * @param where named in the message of an error: the store and key
 * @throws SalvorError `BackupCorrupt`, naming every field that is wrong
 */
export function parseVerified(text: string, where: string): Verified {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SalvorError('BackupCorrupt', `${where} is not JSON; verify the backup again`, { cause: error });
  }
  const result = verifiedSchema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new SalvorError('BackupCorrupt', `${where} is not a drill's result of format 1: ${problems}`);
}

/** A drill's result as it is stored: JSON for people, ending in a newline. */
export function formatVerified(verified: Verified): string {
  return `${JSON.stringify(verified, null, 2)}\n`;
}
