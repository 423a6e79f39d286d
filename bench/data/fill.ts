/** Fills a real etcd with data. */
import { randomBytes } from 'node:crypto';
import { Etcd3, type IOptions } from 'etcd3';
import { type KeyValue, kubernetesWrites } from './kubernetes.ts';

export const CONTENTS = ['kubernetes', 'random'] as const;
export type Content = (typeof CONTENTS)[number];

/** Stays within etcd's limits for a request: 128 operations and 1.5 MiB. */
const OPERATIONS = 100;
const REQUEST_BYTES = 1024 * 1024;
const REQUESTS_AT_ONCE = 4;
const RANDOM_VALUE_BYTES = 16 * 1024;
/**
 * A little more than etcd's `DefaultSnapshotCatchUpEntries` (server/etcdserver/server.go), because etcd drops them a
 * hundred at a time.
 */
const RAFT_ENTRIES = 6_000;

type Etcd = Pick<IOptions, 'hosts' | 'credentials'>;

/** Puts keys and values with this total size; `prefix` keeps random keys apart from those of earlier calls. */
export async function fill(etcd: Etcd, content: Content, bytes: number, prefix = '/random'): Promise<void> {
  await commit(etcd, inBatches(content === 'kubernetes' ? kubernetesWrites() : randomWrites(prefix), bytes));
}

/**
 * Makes as many small writes as etcd keeps recent entries in memory, so that earlier data takes no memory there, as in
 * a cluster that grew slowly.
 */
export async function fillRaftLog(etcd: Etcd): Promise<void> {
  const small = Array.from({ length: RAFT_ENTRIES }, (_, index) => [{ key: '/small', value: Buffer.from(`${index}`) }]);
  await commit(etcd, small.values());
}

async function commit(etcd: Etcd, batches: Iterable<KeyValue[]>): Promise<void> {
  const client = new Etcd3(etcd);
  async function write(): Promise<void> {
    // All share one iterator, so each batch is taken once.
    for (const batch of batches) {
      await client.kv.txn({
        compare: [],
        success: batch.map(({ key, value }) => ({ request_put: { key: Buffer.from(key), value } })),
        failure: [],
      });
    }
  }
  try {
    await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, write));
  } finally {
    client.close();
  }
}

function* randomWrites(prefix: string): Generator<KeyValue, never> {
  for (let index = 0; ; index += 1) yield { key: `${prefix}/${index}`, value: randomBytes(RANDOM_VALUE_BYTES) };
}

function* inBatches(writes: Iterable<KeyValue>, bytes: number): Generator<KeyValue[]> {
  // A transaction may write a key only once.
  let batch = new Map<string, KeyValue>();
  let batchBytes = 0;
  let allBytes = 0;
  for (const write of writes) {
    if (batch.has(write.key) || batch.size === OPERATIONS || batchBytes > REQUEST_BYTES) {
      yield [...batch.values()];
      batch = new Map();
      batchBytes = 0;
      if (allBytes >= bytes) return;
    }
    batch.set(write.key, write);
    batchBytes += write.value.length;
    allBytes += write.key.length + write.value.length;
  }
}
