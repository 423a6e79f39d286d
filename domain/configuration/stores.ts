/** Where backups are kept, and for how long. */
import { z } from 'zod';
import { ARTIFACT_KINDS } from '../format/keys.ts';
import { durationSchema, nameSchema, secretRefSchema, urlSchema, workerPathSchema } from '../values.ts';

const count = z.number().int().positive();

/** A backup is kept if at least one rule keeps it. Without any rule, everything is kept. */
export const retentionSchema = z.strictObject({
  keepLast: count.optional(),
  keepWithin: durationSchema.optional(),
  keepHourly: count.optional(),
  keepDaily: count.optional(),
  keepWeekly: count.optional(),
  keepMonthly: count.optional(),
  keepYearly: count.optional(),
  /** This many good backups are kept, whatever the other rules say. */
  atLeast: count.optional(),
  /** Backups are removed, oldest first, until the rest fits; at least `atLeast` are kept. */
  maxBytes: count.optional(),
});
export type Retention = z.infer<typeof retentionSchema>;

const common = {
  retention: retentionSchema.optional(),
  /** The kinds of artifact that this store takes. Default: all. */
  holds: z.array(z.enum(ARTIFACT_KINDS)).min(1).optional(),
};

export const filesystemStoreSchema = z.strictObject({
  type: z.literal('filesystem'),
  path: workerPathSchema,
  ...common,
});

export const s3StoreSchema = z.strictObject({
  type: z.literal('s3'),
  bucket: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      'expected the name of a bucket: 3 to 63 lower-case letters, digits, "-" or "."',
    ),
  /** Put before every key. */
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/, 'expected names with "/" between them, none at the ends')
    .refine((prefix) => !prefix.split('/').some((part) => part === '.' || part === '..'), 'expected no "." or ".."')
    .optional(),
  endpoint: urlSchema.optional(),
  region: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, 'expected a region')
    .default('us-east-1'),
  pathStyle: z.boolean().default(false),
  /** Default: AWS's own chain, which is environment, shared files, web identity, instance role. */
  credentials: z
    .strictObject({
      accessKeyId: secretRefSchema,
      secretAccessKey: secretRefSchema,
      sessionToken: secretRefSchema.optional(),
    })
    .optional(),
  /** A PEM file with the endpoint's certificate authority. */
  ca: workerPathSchema.optional(),
  serverSideEncryption: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('s3') }),
      z.strictObject({
        type: z.literal('kms'),
        keyId: z.string().min(1).optional(),
        bucketKey: z.boolean().optional(),
      }),
    ])
    .optional(),
  ...common,
});

export const storeSchema = z.discriminatedUnion('type', [filesystemStoreSchema, s3StoreSchema]);

export type FilesystemStoreConfiguration = z.infer<typeof filesystemStoreSchema>;
export type S3StoreConfiguration = z.infer<typeof s3StoreSchema>;

/** Every type of store, by its name. */
export interface StoreConfigurations {
  filesystem: FilesystemStoreConfiguration;
  s3: S3StoreConfiguration;
}
export type StoreTypeName = keyof StoreConfigurations;
export type StoreConfiguration = StoreConfigurations[StoreTypeName];
export type NamedStore = StoreConfiguration & { name: string };

const PLACES: { [T in StoreTypeName]: (store: StoreConfigurations[T]) => string } = {
  filesystem: ({ path }) => path,
  s3: ({ endpoint, region, bucket, prefix = '' }) => `${endpoint ?? region} ${bucket} ${prefix}`,
};

/** The place where a store keeps its objects: equal for two stores that are one place under two names. */
export function placeOf<T extends StoreTypeName>(store: StoreConfigurations[T] & { type: T }): string {
  const { type }: { type: T } = store;
  const place: (store: StoreConfigurations[T]) => string = PLACES[type];
  return `${type} ${place(store)}`;
}

export const storesSchema = z.record(nameSchema, storeSchema);
