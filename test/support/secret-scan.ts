/** Looks for secrets where none may be: in bytes, in histories, in the arguments of processes. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { open as openFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';

/** Secrets by what they are. */
export type Secrets = Record<string, string>;

/** Names of the secrets in some bytes, as they are or in base64. */
export function secretsIn(bytes: Uint8Array, secrets: Secrets): string[] {
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Object.entries(secrets)
    .filter(([, secret]) => {
      const encoded = Buffer.from(secret).toString('base64').replaceAll('=', '');
      // The last characters of it depend on what follows.
      return haystack.includes(secret) || haystack.includes(encoded.slice(0, -2));
    })
    .map(([name]) => name);
}

/** Every file below a directory that has a secret in it, and which. */
export async function filesWithSecrets(
  directory: string,
  secrets: Secrets,
  isMeantFor: (path: string) => boolean,
): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || isMeantFor(path)) continue;
    const names = await secretsInFile(path, secrets);
    if (names.length > 0) found.push(`${path}: ${names.join(', ')}`);
  }
  return found;
}

const BLOCK_BYTES = 4 * 1024 * 1024;
/** Longer than any secret. */
const OVERLAP_BYTES = 4_096;

async function secretsInFile(path: string, secrets: Secrets): Promise<string[]> {
  const names = new Set<string>();
  const file = await openFile(path, 'r');
  try {
    const block = Buffer.alloc(BLOCK_BYTES);
    for (let position = 0; ; position += BLOCK_BYTES - OVERLAP_BYTES) {
      const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position);
      for (const name of secretsIn(block.subarray(0, bytesRead), secrets)) names.add(name);
      if (bytesRead < BLOCK_BYTES) return [...names];
    }
  } finally {
    await file.close();
  }
}

/** Every workflow that has a secret in its history, in its memo or in what an activity last beat, and which. */
export async function historiesWithSecrets(
  temporal: Client,
  secrets: Secrets,
): Promise<{ found: string[]; read: number }> {
  const found: string[] = [];
  let read = 0;
  for await (const { workflowId, runId, raw } of temporal.workflow.list()) {
    const handle = temporal.workflow.getHandle(workflowId, runId);
    const { raw: described } = await handle.describe();
    const names = secretsWithin([raw, described, await handle.fetchHistory()], secrets);
    if (names.size > 0) found.push(`${workflowId}: ${[...names].join(', ')}`);
    read += 1;
  }
  return { found, read };
}

/** All texts and bytes of a value, such as the payloads of a history. */
function secretsWithin(value: unknown, secrets: Secrets, names = new Set<string>()): Set<string> {
  if (typeof value === 'string' || value instanceof Uint8Array) {
    for (const name of secretsIn(Buffer.from(value), secrets)) names.add(name);
  } else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) secretsWithin(part, secrets, names);
  }
  return names;
}

export interface Watch {
  /** The arguments of every process that was seen, with NUL between them. */
  readonly commandLines: Set<string>;
  /** What was seen below the scratch folder with more than its owner's permissions. */
  readonly open: Set<string>;
  stop(): void;
}

const SAMPLE_MS = 20;

/**
 * Looks again and again at the arguments of every process of this machine (Linux), and at the modes of what lies below
 * a folder.
 */
export function watchProcesses(folder: string, isOurs: (name: string) => boolean): Watch {
  const commandLines = new Set<string>();
  const open = new Set<string>();
  function sample(): void {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      attempt(() => commandLines.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8')));
    }
    for (const name of attempt(() => readdirSync(folder)) ?? []) {
      // Below a directory that only its owner enters nothing is open to others.
      const mode = attempt(() => statSync(join(folder, name)).mode);
      if (isOurs(name) && mode !== undefined && (mode & 0o077) !== 0) open.add(`${name} ${(mode & 0o777).toString(8)}`);
    }
  }
  const timer = setInterval(sample, SAMPLE_MS);
  return { commandLines, open, stop: () => clearInterval(timer) };
}

/** What is gone already is fine. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
