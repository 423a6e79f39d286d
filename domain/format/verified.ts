/** The result of a backup's last drill: `verified-<id>.json`. */
import { z } from 'zod';
import { PROOFS } from './manifest.ts';
import { timeOfBackupId } from './keys.ts';
import { formatNote, parseNote } from './sealed.ts';

const drillCheckSchema = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  /** It could not be checked here; `seen` says why. `ok` is then true, because nothing was found to be wrong. */
  skipped: z.literal(true).optional(),
  seen: z.string(),
});

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
  checks: z.array(drillCheckSchema),
  durationMs: z.number().nonnegative(),
});
export type Verified = z.infer<typeof verifiedSchema>;
/** One thing that a drill checked. */
export type DrillCheck = z.infer<typeof drillCheckSchema>;

/**
 * Reads a drill's result.
 * @param where named in the message of an error: the store and key
 * @throws SalvorError `BackupCorrupt`, naming every wrong field, or saying that the result was changed
 */
export function parseVerified(text: string, where: string): Verified {
  return parseNote(verifiedSchema, text, where, "a drill's result");
}

/** A drill's result as it is stored: indented JSON with its own digest, ending in a newline. */
export function formatVerified(verified: Verified): string {
  return formatNote(verified);
}

/**
 * Adds to the result of a drill that read only one store what an earlier drill found wrong in the others: reading one
 * store does not fix them. While a wrong copy is known, the proof stays at `written`, which every list and every prune
 * sees.
 * @param others the other stores
 */
export function withEarlierFailures(verified: Verified, earlier: Verified | undefined, others: string[]): Verified {
  const failures = (earlier?.checks ?? []).filter(
    ({ name, ok }) => !ok && others.some((store) => name.endsWith(` in ${store}`)),
  );
  if (earlier === undefined || failures.length === 0) return verified;
  const proof = earlier.proof === 'written' ? 'written' : verified.proof;
  return { ...verified, proof, checks: [...verified.checks, ...failures] };
}
