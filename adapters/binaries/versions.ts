/** Versions of binaries: read from what they print, compared with what Salvor accepts. */
import { execa } from 'execa';
import { stat } from 'node:fs/promises';
import { messageOf } from '../../domain/errors.ts';
import type { Release } from './pins.ts';

const RUN_TIMEOUT_MS = 30_000;
/** What each file printed, for as long as the file is unchanged. */
const known = new Map<string, string | undefined>();

/** The first `x.y.z` in a text, without a leading `v` or a suffix; undefined when there is none. */
export function parseVersion(text: string): string | undefined {
  return /(?<![\d.])\d+\.\d+\.\d+/.exec(text)?.[0];
}

/** Whether a release accepts a version. */
export function fits(version: string, accepts: Release['accepts']): boolean {
  return compare(version, accepts.from) >= 0 && compare(version, accepts.below) < 0;
}

/** The accepted versions, for people: `3.6.0 or later, below 3.7.0`. */
export function describeAccepted({ from, below }: Release['accepts']): string {
  return `${from} or later, below ${below}`;
}

/**
 * Runs a binary and reads its version.
 * @returns undefined when it ran and printed no version (a versitygw built from its module says `git`)
 * @throws Error when it can't be run or fails
 */
export async function readVersion(path: string, args: readonly string[]): Promise<string | undefined> {
  const { ino, size, mtimeMs } = await stat(path);
  const key = [path, ino, size, mtimeMs].join(' ');
  if (known.has(key)) return known.get(key);
  const result = await execa(path, args, { reject: false, stdin: 'ignore', timeout: RUN_TIMEOUT_MS });
  if (result.failed) {
    const said = result.stderr.trim().split('\n').at(-1) ?? '';
    throw new Error(
      `\`${[path, ...args].join(' ')}\` failed: ${said || messageOf(result.cause ?? `exit ${result.exitCode}`)}`,
    );
  }
  const version = parseVersion(result.stdout);
  known.set(key, version);
  return version;
}

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (const [index, part] of (left ?? []).entries()) {
    const difference = part - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
