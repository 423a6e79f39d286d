/** Removes scratch folders that killed workers left on this machine when their work never came back to it. */
import { setTimeout as delay } from 'node:timers/promises';
import { sweepScratch } from '../adapters/scratch/folders.ts';
import { messageOf } from '../domain/errors.ts';

/** It takes some minutes until a folder of a killed worker in a container counts as left. */
const EVERY_MS = 900_000;

/** Sweeps regularly until the signal. A folder that can't be removed is reported and tried again. */
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
