/** What an attempt to take a snapshot leaves for the next one in case its worker dies. */
import { z } from 'zod';
import { COMPRESSIONS } from '../../domain/format/keys.ts';
import { digestSchema, etcdSchema } from '../../domain/format/manifest.ts';

const wholeSchema = z.object({
  backup: z.string(),
  takenAt: z.string(),
  key: z.string(),
  compression: z.enum(COMPRESSIONS),
  encrypted: z.boolean(),
  content: digestSchema,
  stored: digestSchema,
  etcd: etcdSchema,
});

const attemptSchema = z.object({
  /** Where it writes. */
  key: z.string(),
  /** What the snapshot is, once it has passed every check and a store has all of it. */
  whole: wholeSchema.optional(),
  /** The stores that have all of it. */
  complete: z.array(z.string()).optional(),
});

/** A snapshot and what is known about it, wherever it is stored. */
export type WholeSnapshot = z.infer<typeof wholeSchema>;
export type SnapshotAttempt = z.infer<typeof attemptSchema>;

/** Reads what an attempt remembered; undefined when it remembered nothing. */
export function parseAttempt(details: unknown): SnapshotAttempt | undefined {
  return attemptSchema.safeParse(details).data;
}
