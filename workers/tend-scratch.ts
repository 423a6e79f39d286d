/** Scratch folders that killed workers of this machine left, when their work never came back to it. */
import { setTimeout as delay } from 'node:timers/promises';
import { sweepScratch } from '../adapters/scratch/folders.ts';
import { messageOf } from '../domain/errors.ts';

/** What a worker in a container left shows as left only some minutes later. */
const EVERY_MS = 900_000;

/** Sweeps now and again until the signal. What can't be removed is said, and tried again. */
export async function tendScratch(signal: AbortSignal, say: (line: string) => void): Promise<void> {
  while (!signal.aborted) {
    try {
      const swept = await sweepScratch();
      if (swept > 0) say(`removed ${swept} scratch folders left by killed workers`);
    } catch (error) {
      say(`removing scratch folders left by killed workers: ${messageOf(error)}`);
    }
    await delay(EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
