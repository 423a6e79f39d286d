/** The parts of the command's reports that the demo reads. */
import { z } from 'zod';

/** The part of `bin/salvor backup`'s report that the demo shows. */
export const backupSchema = z.object({
  backup: z.string(),
  node: z.string(),
  state: z.string(),
  revision: z.string(),
  totalKeys: z.number(),
  durationMs: z.number(),
  artifacts: z.array(
    z.object({
      kind: z.string(),
      bytes: z.number(),
      copies: z.array(z.object({ store: z.string(), key: z.string(), state: z.string() })),
    }),
  ),
});
export type Backup = z.infer<typeof backupSchema>;

/** The part of `bin/salvor restore`'s report that the demo shows. */
export const restoreSchema = z.object({
  outcome: z.string(),
  downtimeMs: z.number(),
  workflowId: z.string(),
  revision: z.object({ snapshot: z.string(), after: z.string() }),
  setAside: z.array(z.object({ node: z.string(), path: z.string() })),
});
export type Restore = z.infer<typeof restoreSchema>;
