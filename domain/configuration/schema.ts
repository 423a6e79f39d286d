/** The schema of `salvor.yaml`. */
import { z } from 'zod';
import { FLAVOUR_NAMES } from '../flavours/index.ts';
import { COMPRESSIONS } from '../format/keys.ts';
import { ScheduleProblem } from '../schedule/problem.ts';
import { scheduleTimes } from '../schedule/times.ts';
import { WINDOW } from '../schedule/window.ts';
import { nodeSchema, tlsSchema } from './nodes.ts';
import { storesSchema } from './stores.ts';
import { absolutePathSchema, durationSchema, isTimeZone, nameSchema, workerPathSchema } from '../values.ts';

const scheduleSchema = z
  .strictObject({
    every: durationSchema.optional(),
    cron: z
      .string()
      .regex(/^\S+( \S+){4}$/, 'expected five fields, as in "0 3 * * 0"')
      .optional(),
    jitter: durationSchema.optional(),
    window: z
      .string()
      .regex(WINDOW, 'expected "HH:MM-HH:MM" and optionally a time zone, as in "00:00-06:00 Asia/Shanghai"')
      .refine((window) => isTimeZone(window.split(' ')[1] ?? 'UTC'), 'no such time zone; expected one as Asia/Shanghai')
      .optional(),
    timeZone: z.string().refine(isTimeZone, 'no such time zone; expected one as Asia/Shanghai').optional(),
  })
  .refine(
    (schedule) => (schedule.every === undefined) !== (schedule.cron === undefined),
    'expected either "every" or "cron"',
  )
  .superRefine((schedule, context) => {
    if (context.issues.length > 0) return;
    try {
      scheduleTimes(schedule);
    } catch (error) {
      if (!(error instanceof ScheduleProblem)) throw error;
      context.addIssue({ code: 'custom', path: [error.field], message: error.message });
    }
  });
export type Schedule = z.infer<typeof scheduleSchema>;

export const clusterSchema = z.strictObject({
  flavour: z.enum(FLAVOUR_NAMES),
  labels: z.record(z.string(), z.string()).default({}),
  /** Names of stores, in the order in which they are read. */
  stores: z.array(nameSchema).min(1, 'expected at least one store'),
  compression: z.enum(COMPRESSIONS).default('zstd'),
  encryption: z
    .strictObject({
      recipients: z.array(z.string().regex(/^age1[a-z0-9]+$/, 'expected an age recipient, beginning with age1')).min(1),
      /** Private keys for restore and verify: files on the worker, never their content. */
      identities: z.array(z.strictObject({ file: workerPathSchema })).optional(),
    })
    .optional(),
  schedules: z
    .strictObject({
      backup: scheduleSchema.optional(),
      verify: scheduleSchema.optional(),
      prune: scheduleSchema.optional(),
    })
    .default({}),
  /** The client certificate that the worker uses to read etcd; files on the worker. */
  etcd: z.strictObject({ tls: tlsSchema.optional() }).default({}),
  /** A kubeconfig on the worker, for the checks that use the Kubernetes API. */
  kubeconfig: workerPathSchema.optional(),
  /** The paths that a backup keeps of each node in addition to the snapshot. Default: the flavour's own. */
  staticResources: z.strictObject({ paths: z.array(absolutePathSchema).min(1) }).optional(),
  /**
   * Whether secrets are encrypted in etcd. If so, the static resources hold the keys and belong in a different store
   * than the snapshot.
   */
  encryptionAtRest: z.boolean().default(false),
  nodes: z.array(nodeSchema).min(1, 'expected at least one node'),
});

export const configurationSchema = z.strictObject({
  stores: storesSchema,
  clusters: z.record(nameSchema, clusterSchema),
});
export type Configuration = z.infer<typeof configurationSchema>;

/** The JSON schema of `salvor.yaml`, for editors. */
export function configurationJsonSchema(): object {
  return z.toJSONSchema(configurationSchema, { io: 'input' });
}
