/** How V8 counts the buffers of streams. */
import { setFlagsFromString } from 'node:v8';

/** The setting came with V8 13, in Node 24; earlier versions run without it. */
const FIRST_NODE = 24;

/**
 * Makes buffers count as part of the whole heap. By default V8 looks through the heap after every few dozen MiB of
 * buffers. A worker has so much in memory that this costs more than hashing, compressing and sending the same bytes.
 * docs/decisions/0023 has the figures.
 */
export function spareCollections(): void {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= FIRST_NODE) setFlagsFromString('--external-memory-accounted-in-global-limit');
}
