/** Puts keys and values into a real etcd, to be backed up. */
import { randomBytes } from 'node:crypto';
import { Etcd3 } from 'etcd3';

/** Puts values of random bytes, several at a time. */
export async function fill(clientUrl: string, keys: number, valueBytes: number): Promise<void> {
  const client = new Etcd3({ hosts: clientUrl });
  const names = Array.from({ length: keys }, (_, index) => `/test/${String(index).padStart(6, '0')}`).values();
  async function put(): Promise<void> {
    // All share one iterator, so each name is taken once.
    for (const name of names) await client.put(name).value(randomBytes(valueBytes));
  }
  try {
    await Promise.all(Array.from({ length: 4 }, put));
  } finally {
    client.close();
  }
}
