/** What the demo reads of the command's reports. */
import { z } from 'zod';

/** As much of `bin/salvor backup`'s report as the demo shows. */
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

/** As much of `bin/salvor restore`'s report as the demo shows. */
export const restoreSchema = z.object({
  outcome: z.string(),
  downtimeMs: z.number(),
  workflowId: z.string(),
  revision: z.object({ snapshot: z.string(), after: z.string() }),
  setAside: z.array(z.object({ node: z.string(), path: z.string() })),
});
export type Restore = z.infer<typeof restoreSchema>;
