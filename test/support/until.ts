/** Waits for a state, with a generous deadline. */
import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a state; if it doesn't come, the error names the state. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  deadlineMs = 60_000,
): Promise<T> {
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > endMs) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await delay(100);
  }
}
