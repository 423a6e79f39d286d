/** How V8 counts the buffers of streams. */
import { setFlagsFromString } from 'node:v8';

/** The setting came with V8 13, in Node 24; an earlier one does without. */
const FIRST_NODE = 24;

/**
 * Lets buffers count as part of the whole heap. By default V8 looks through the heap after every few dozen MiB of them
 * that pass, and what a worker has in memory makes that cost more than to hash, compress and send the same bytes.
 * docs/decisions/0023 has the figures.
 */
export function spareCollections(): void {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= FIRST_NODE) setFlagsFromString('--external-memory-accounted-in-global-limit');
}
