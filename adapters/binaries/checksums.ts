/** SHA-256 sums of files, and the checksum files that releases carry. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** The sum of a file, in lower-case hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

/**
 * Finds the sum of one file in a checksum file: a `<sha256>  <name>` or `<sha256> *<name>` line, or a sum alone.
 * @returns undefined when the file isn't listed
 */
export function sumOf(name: string, checksums: string): string | undefined {
  const lines = checksums
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  for (const line of lines) {
    const [, sum, file] = /^([0-9a-f]{64})(?:\s+\*?(.+))?$/i.exec(line) ?? [];
    if (sum === undefined) continue;
    if (file === name || (file === undefined && lines.length === 1)) return sum.toLowerCase();
  }
  return undefined;
}
