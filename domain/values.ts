/** Schemas for the basic values of the configuration: durations, names, addresses, paths, secrets, commands. */
import { z } from 'zod';
import { NAME } from './input.ts';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** The milliseconds of a duration such as `90s`, `10m`, `6h`, `30d` or `2w`, or undefined when it isn't one. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+)([smhdw])$/.exec(text);
  if (!match) return undefined;
  const unit = match[2] as keyof typeof UNITS;
  return Number(match[1]) * UNITS[unit];
}

export const durationSchema = z
  .string()
  .refine((text) => parseDurationMs(text) !== undefined, 'expected a duration such as 90s, 10m, 6h, 30d or 2w')
  .meta({ description: 'A duration: a whole number and s, m, h, d or w' });

/**
 * Names become parts of store keys, task queues and file names, so they contain nothing that is special to a shell or
 * in a path.
 */
export const nameSchema = z
  .string()
  .regex(NAME, 'expected 1 to 63 lower-case letters, digits, "-" or ".", beginning and ending with a letter or digit')
  .refine((name) => !name.includes('..'), 'expected no ".."');

/** A host name, an IPv4 or an IPv6 address. */
export const addressSchema = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/, 'expected a host name or an IP address')
  .refine((address) => !address.includes('..'), 'expected no ".."');

/** An absolute path without `..`, control characters or a trailing slash. */
export const absolutePathSchema = z
  .string()
  // oxlint-disable-next-line no-control-regex -- keeping control characters out is the point
  .regex(/^(?:\/[^/\u0000-\u001f\u007f]+)+$/, 'expected an absolute path without a trailing "/" or control characters')
  .refine(
    (path) => !path.split('/').some((part) => part === '.' || part === '..'),
    'expected no "." or ".." in the path',
  );

/** A path on the worker: absolute, or relative to the configuration file. */
export const workerPathSchema = z
  .string()
  .min(1)
  // oxlint-disable-next-line no-control-regex -- keeping control characters out is the point
  .regex(/^[^\u0000-\u001f\u007f]+$/, 'expected a path without control characters');

export const urlSchema = z
  .string()
  .refine(
    (text) =>
      /^https?:\/\/(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(text) && URL.canParse(text),
    'expected http:// or https://, a host and a port, nothing after it',
  );

/** A time zone that the runtime knows, as in Asia/Shanghai. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** A reference to a secret, which is never in the configuration itself: the worker reads it from a variable or file. */
export const secretRefSchema = z
  .union(
    [
      z.strictObject({
        env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable'),
      }),
      z.strictObject({ file: workerPathSchema }),
    ],
    'expected a reference, {env: NAME} or {file: path}; a secret is never written into the configuration',
  )
  .meta({ description: 'A reference to a secret: {env: NAME} or {file: path}' });
export type SecretRef = z.infer<typeof secretRefSchema>;

/** A command and its arguments. It is run directly, without a shell. */
export const commandSchema = z
  .array(
    z
      .string()
      .min(1)
      .refine((word) => !word.includes('\0'), 'expected no NUL character'),
  )
  .min(1, 'expected a command: a list of at least one word');
