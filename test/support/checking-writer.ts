/**
 * A client that writes and reads without a pause, and checks afterwards that no write acknowledged by etcd was lost.
 */
import assert from 'node:assert/strict';
import { Etcd3, type IOptions } from 'etcd3';

export interface CheckingWriter {
  /** How many writes etcd has acknowledged so far. */
  acknowledged(): number;
  /**
   * Stops the client; returns the longest time without an acknowledged write and the longest without an answered read.
   */
  stop(): Promise<{ acknowledged: number; writeGapMs: number; readGapMs: number }>;
  /** Fails unless the member has every acknowledged write. */
  checkMember(clientUrl: string): Promise<void>;
  close(): void;
}

const PREFIX = '/checking-writer/';
const CALL_MS = 2_000;

/** Writes to the first member that accepts the write, as a client with several endpoints does. */
export function startCheckingWriter(clientUrls: string[], options: Omit<IOptions, 'hosts'> = {}): CheckingWriter {
  const clients = clientUrls.map((hosts) => new Etcd3({ ...options, hosts }));
  const written = new Map<string, string>();
  const gaps = { write: 0, read: 0 };
  const stopped = new AbortController();
  let preferred = 0;

  async function byAny<T>(ask: (client: Etcd3) => Promise<T>): Promise<T | undefined> {
    for (let turn = 0; turn < clients.length; turn += 1) {
      const client = clients[preferred];
      if (client === undefined) return undefined;
      try {
        return await ask(client);
      } catch {
        preferred = (preferred + 1) % clients.length;
      }
    }
    return undefined;
  }

  const running = (async () => {
    const last = { write: performance.now(), read: performance.now() };
    for (let number = 0; !stopped.signal.aborted; number += 1) {
      const key = `${PREFIX}${String(number % 500).padStart(4, '0')}`;
      const value = `write ${number}`;
      const call = () => ({ deadline: Date.now() + CALL_MS });
      if ((await byAny(async (client) => await client.put(key).value(value).options(call()).exec())) !== undefined) {
        written.set(key, value);
        gaps.write = Math.max(gaps.write, performance.now() - last.write);
        last.write = performance.now();
      } else {
        // Nobody knows whether the write was accepted.
        written.delete(key);
      }
      const wanted = written.get(key);
      const read = await byAny(async (client) => ({ value: await client.get(key).options(call()).string() }));
      if (read === undefined) continue;
      if (wanted !== undefined) assert.equal(read.value, wanted, `what was acknowledged for ${key} is read back`);
      gaps.read = Math.max(gaps.read, performance.now() - last.read);
      last.read = performance.now();
    }
    // A pause that lasts until the end counts as well.
    gaps.write = Math.max(gaps.write, performance.now() - last.write);
    gaps.read = Math.max(gaps.read, performance.now() - last.read);
  })();
  // `stop` awaits it; until then, a failed check must not end the process.
  running.catch(() => undefined);

  return {
    acknowledged: () => written.size,
    async stop() {
      stopped.abort();
      await running;
      return { acknowledged: written.size, writeGapMs: Math.round(gaps.write), readGapMs: Math.round(gaps.read) };
    },
    async checkMember(clientUrl) {
      const client = new Etcd3({ ...options, hosts: clientUrl });
      try {
        const found = await client.getAll().prefix(PREFIX).strings();
        for (const [key, value] of written) assert.equal(found[key], value, `${clientUrl} has lost ${key}`);
      } finally {
        client.close();
      }
    },
    close() {
      for (const client of clients) client.close();
    },
  };
}
