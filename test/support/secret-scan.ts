/** Looks for secrets where none are allowed: in bytes, histories and arguments of processes. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { open as openFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';

/** Secrets by name. */
export type Secrets = Record<string, string>;

/** The names of the secrets that some bytes contain, plain or in base64. */
export function secretsIn(bytes: Uint8Array, secrets: Secrets): string[] {
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Object.entries(secrets)
    .filter(([, secret]) => {
      const encoded = Buffer.from(secret).toString('base64').replaceAll('=', '');
      // The last characters of the base64 text depend on the bytes that follow.
      return haystack.includes(secret) || haystack.includes(encoded.slice(0, -2));
    })
    .map(([name]) => name);
}

/** Every file below a directory that contains a secret, with the secret's name. */
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

/** Every workflow with a secret in its history, its memo or an activity's last heartbeat, with the secret's name. */
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
  /** What others than the owner could access below the scratch folder. */
  readonly open: Set<string>;
  stop(): void;
}

const SAMPLE_MS = 20;

/**
 * Repeatedly reads the arguments of every process on this machine (Linux) and the modes of everything below a folder.
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
      // If only the owner can enter a directory, nothing below it is open to others.
      const mode = attempt(() => statSync(join(folder, name)).mode);
      if (isOurs(name) && mode !== undefined && (mode & 0o077) !== 0) open.add(`${name} ${(mode & 0o777).toString(8)}`);
    }
  }
  const timer = setInterval(sample, SAMPLE_MS);
  return { commandLines, open, stop: () => clearInterval(timer) };
}

/** Ignores errors about files and processes that are already gone. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
